using Lipschitz.Checkpoints;
using Lipschitz.Cli.Figures;

namespace Lipschitz.Cli;

/// <summary>A number of a run over its steps, in training and in tests.</summary>
/// <param name="Steps">The steps of the training values.</param>
/// <param name="Training">Means over the steps before.</param>
/// <param name="Tests">The tests.</param>
internal sealed record RunCurves(double[] Steps, double[] Training, IReadOnlyList<LossFigure.Test> Tests)
{
    /// <summary>Whether there is nothing to draw.</summary>
    public bool IsEmpty => Steps.Length == 0 && Tests.Count == 0;

    /// <summary>What is minimised.</summary>
    public static RunCurves Loss(IReadOnlyList<MetricsLine> metrics) => Of(
        metrics, line => line.Loss, line => line.TestLoss ?? line.TestNll, line => line.TestLoss is null ? line.TestStandardError : null);

    /// <summary>Bits per dimension.</summary>
    public static RunCurves Bits(IReadOnlyList<MetricsLine> metrics) =>
        Of(metrics, line => line.BitsPerDim, line => line.TestBitsPerDim, line => line.TestBitsStandardError);

    /// <summary>Accuracy.</summary>
    public static RunCurves Accuracy(IReadOnlyList<MetricsLine> metrics) =>
        Of(metrics, line => line.Accuracy, line => line.TestAccuracy, line => line.TestAccuracyError);

    private static RunCurves Of(
        IReadOnlyList<MetricsLine> metrics, Func<MetricsLine, double?> training, Func<MetricsLine, double?> test, Func<MetricsLine, double?> error)
    {
        MetricsLine[] trained = [.. metrics.Where(line => training(line) is not null)];
        return new RunCurves(
            [.. trained.Select(line => (double)line.Step)],
            [.. trained.Select(line => training(line)!.Value)],
            [.. metrics.Where(line => test(line) is not null).Select(line => new LossFigure.Test(line.Step, test(line)!.Value, error(line) ?? 0))]);
    }
}
