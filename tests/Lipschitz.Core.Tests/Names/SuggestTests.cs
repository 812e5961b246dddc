using Lipschitz.Names;

namespace Lipschitz.Core.Tests.Names;

public class SuggestTests
{
    private static readonly string[] s_known = ["moons", "circles", "checkerboard", "8gaussians"];

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("mons", "moons", 1)]
    [InlineData("mooons", "moons", 1)]
    [InlineData("moosn", "moons", 1)] // two neighbours swapped
    [InlineData("ca", "abc", 3)] // 2 if a part could be edited twice
    public void Distance_counts_the_edits(string a, string b, int expected)
    {
        Assert.Equal(expected, Suggest.Distance(a, b));
        Assert.Equal(expected, Suggest.Distance(b, a));
    }

    [Theory]
    [InlineData("mons", "moons")]
    [InlineData("Moons", "moons")]
    [InlineData("two_moons", "moons")]
    [InlineData("gaussians", "8gaussians")]
    [InlineData("check", "checkerboard")]
    [InlineData("chekcerbord", "checkerboard")]
    [InlineData("swissroll", null)]
    [InlineData("", null)]
    [InlineData("x", null)]
    public void The_nearest_name_is_found_if_one_is_near(string name, string? expected) =>
        Assert.Equal(expected, Suggest.Nearest(name, s_known));

    [Fact]
    public void A_very_long_name_costs_nothing_and_gets_no_suggestion() =>
        Assert.Null(Suggest.Nearest(new string('m', 10_000_000), s_known));

    [Fact]
    public void The_message_lists_the_names_and_the_nearest()
    {
        var exception = new UnknownNameException("data set", "mons", s_known);
        Assert.Equal("unknown data set 'mons'; did you mean 'moons'? known: moons, circles, checkerboard, 8gaussians", exception.Message);
        Assert.Equal("moons", exception.Suggestion);
    }

    [Fact]
    public void The_message_suggests_nothing_where_nothing_is_near_and_stays_on_one_line()
    {
        var exception = new UnknownNameException("data set", "z\nz" + new string('z', 200), s_known);
        Assert.StartsWith("unknown data set 'z\\u000azzz", exception.Message);
        Assert.EndsWith("z…'; known: moons, circles, checkerboard, 8gaussians", exception.Message);
    }
}
