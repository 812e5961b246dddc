using Lipschitz.Cli.Reproduction;

namespace Lipschitz.Cli.Tests;

/// <summary>What the tables say about the finished cells.</summary>
public sealed class FindingsTests : SmallPaper
{
    [Theory]
    [InlineData(2.6, 2.4, 2.4, "Plain 2.6000 > Learned 2.4000 ≈ Learned 2.4000", true)]
    [InlineData(2.6, 2.4, 2.4001, "Plain 2.6000 > Learned 2.4000 ≈ Learned 2.4001", true)]
    [InlineData(2.6, 2.4, 2.41, "Plain 2.6000 > Learned 2.4000 < Learned 2.4100", false)]
    [InlineData(2.4, 2.4001, 2.3, "Plain 2.4000 ≈ Learned 2.4001 > Learned 2.3000", false)]
    [InlineData(2.4001, 2.4, 2.3, "Plain 2.4001 ≈ Learned 2.4000 > Learned 2.3000", false)]
    public void Two_standard_errors_make_an_order(double first, double second, double third, string text, bool holds)
    {
        WriteExperiments();
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--steps", "1", "--threads", "1");
        var catalogue = new Catalogue(ExperimentsFile.Read(Paper), Path.Combine(Paper, "runs"));
        IReadOnlyList<CellSummary> cells = catalogue.Summaries(catalogue.Experiments.Group("points"), 1);
        CellSummary With(CellSummary cell, double test) => cell with { Results = [cell.Results[0] with { Test = test, StandardError = 0.002 }] };
        string sentence = Findings.Order([With(cells[0], first), With(cells[1], second), With(cells[1], third)]);
        Assert.StartsWith($"moons: {text}; the paper's order Plain > Learned ≥ Learned {(holds ? "holds" : "does not hold")} with 1 seed each", sentence);
    }

    [Fact]
    public void One_seed_below_the_entropy_is_not_hidden_by_the_mean()
    {
        WriteExperiments();
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--steps", "1", "--threads", "1");
        var catalogue = new Catalogue(ExperimentsFile.Read(Paper), Path.Combine(Paper, "runs"));
        CellSummary cell = catalogue.Summaries(catalogue.Experiments.Group("points"), 1)[0];
        CellResult Result(double test) => cell.Results[0] with { Test = test, StandardError = 0.01 };
        Assert.False((cell with { Results = [Result(2.38), Result(2.5)] }).IsImpossible);
        Assert.True((cell with { Results = [Result(2.37), Result(2.5)] }).IsImpossible); // 2.394 - 0.024
    }
}
