using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;

namespace Lipschitz.Training;

/// <summary>Times of whole training steps.</summary>
/// <param name="MedianMilliseconds">Median time of a step: data, forward, estimator, backward, Adam, norms.</param>
/// <param name="MinimumMilliseconds">Shortest time of a step.</param>
/// <param name="Parameters">Trained scalars.</param>
/// <param name="FlopsPerStep">The floor: floating-point operations that the derivation needs, see <see cref="StepBenchmark.Floor"/>.</param>
/// <param name="MadeFlopsPerStep">Operations of the products as they are made; fewer where a small Jacobian replaces the sweep.</param>
public sealed record StepTiming(
    double MedianMilliseconds, double MinimumMilliseconds, long Parameters, double FlopsPerStep, double MadeFlopsPerStep);

/// <summary>Times training steps of a configuration.</summary>
public static class StepBenchmark
{
    private const int WarmUpSteps = 30;

    /// <summary>Runs and times <paramref name="steps"/> steps after a warm-up.</summary>
    public static StepTiming Run(Configuration configuration, IBackend backend, IPointSource data, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        var trainer = new Trainer(configuration, backend, data);
        for (int i = 0; i < WarmUpSteps; i++)
        {
            trainer.Step();
        }

        var times = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            trainer.Step();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(times);
        LogDetEstimator estimator = EstimatorFactory.Create(configuration.LogDet);
        int batch = configuration.Training.Batch;
        double Total(double products) => Floor(trainer.Flow, batch, products, estimator.CotangentCount(data.Width));
        return new StepTiming(
            times[steps / 2], times[0], trainer.Flow.TrainedCount, Total(estimator.ExpectedProducts(data.Width)),
            Total(estimator.MadeProducts(data.Width)));
    }

    /// <summary>
    /// Floating-point operations of a step: for each block a forward evaluation, <paramref name="products"/> products with its Jacobian,
    /// and a backward pass over the value and <paramref name="cotangents"/> tangents, two products each; two operations a weight and
    /// sample.
    /// </summary>
    public static double Floor(Flow flow, int batch, double products, int cotangents)
    {
        double weights = flow.Parameters.Where(p => p.Role == ParameterRole.Weight).Sum(p => (double)p.Value.Count);
        return 2 * batch * weights * (1 + products + (2 * (1 + cotangents)));
    }
}
