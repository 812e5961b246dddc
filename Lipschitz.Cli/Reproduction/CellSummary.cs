namespace Lipschitz.Cli.Reproduction;

/// <summary>What the seeds of one model on one data set gave.</summary>
/// <param name="Group">The group that shows it.</param>
/// <param name="Model">The model.</param>
/// <param name="Data">The data set.</param>
/// <param name="Results">One a finished seed; may be empty.</param>
/// <param name="Progress">How far the first unfinished run is.</param>
/// <param name="Entropy">The entropy of the data in nats, where known.</param>
/// <param name="Budget">What the settings allow Lip(g) of a block; null for pictures.</param>
internal sealed record CellSummary(
    ExperimentGroup Group, ExperimentModel Model, ExperimentData Data, IReadOnlyList<CellResult> Results, string Progress, double? Entropy,
    double? Budget)
{
    /// <summary>Whether a seed is finished.</summary>
    public bool IsRun => Results.Count > 0;

    /// <summary>The mean test over seeds.</summary>
    public double Test => Results.Average(result => result.Test);

    /// <summary>
    /// The standard error of a single test. Seeds are tested on the same points, so their mean has no smaller one.
    /// </summary>
    public double StandardError => Results.Average(result => result.StandardError);

    /// <summary>What the paper found.</summary>
    public double? Published => Data.Published.TryGetValue(Model.Name, out double value) ? value : null;

    /// <summary>The largest proven bound of a block of any seed.</summary>
    public double LargestBlockBound => Results.Max(result => result.LargestBlockBound);

    /// <summary>How far the mean test is above the entropy.</summary>
    public double? AboveEntropy => IsRun ? Test - Entropy : null;

    /// <summary>
    /// Whether the test of any seed is below the entropy by more than two standard errors: a fault, or the luck of one test in forty.
    /// </summary>
    public bool IsImpossible => Results.Any(result => result.Test < Entropy - (2 * result.StandardError));
}
