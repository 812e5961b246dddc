using System.Text.RegularExpressions;

namespace Lipschitz.Architecture.Tests;

/// <summary>What keeps files readable.</summary>
public partial class SourceTests
{
    private const int LongestFile = 450;

    // Files above the limit when the rule was made; split them rather than add to this list.
    private static readonly string[] s_longFiles = ["Lipschitz.Core/Backends/ReferenceBackend.Matrices.cs"];

    [Fact]
    public void No_file_is_longer_than_can_be_read_at_once() => Assert.Empty(
        Repository.Sources.Where(path => File.ReadLines(path).Count() > LongestFile).Select(Repository.Relative).Except(s_longFiles));

    [Fact]
    public void No_file_hides_behind_a_name_that_says_nothing() => Assert.DoesNotContain(
        Repository.Sources.Select(Repository.Relative), path => Vague().IsMatch(Path.GetFileNameWithoutExtension(path)));

    [Fact]
    public void No_type_does_either() => Assert.Empty(
        Repository.Sources.SelectMany(path => VagueType().Matches(File.ReadAllText(path)).Select(match => $"{Repository.Relative(path)}: {match.Value}")));

    [Fact]
    public void Namespaces_are_of_file_scope() => Assert.Empty(
        Repository.Sources.Where(path => BlockNamespace().IsMatch(File.ReadAllText(path))).Select(Repository.Relative));

    [GeneratedRegex("(Helpers?|Managers?|Utils?|Utilities|Misc|Common)(\\.|$)")]
    private static partial Regex Vague();

    [GeneratedRegex(@"\b(?:class|struct|record|interface)\s+\w*(?:Helpers?|Manager|Utils?|Utilities)\b")]
    private static partial Regex VagueType();

    [GeneratedRegex(@"^namespace\s+[\w.]+\s*$|^namespace\s+[\w.]+\s*\{", RegexOptions.Multiline)]
    private static partial Regex BlockNamespace();
}
