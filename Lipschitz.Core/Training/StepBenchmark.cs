using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;

namespace Lipschitz.Training;

/// <summary>Times of whole training steps.</summary>
/// <param name="Steps">The steps timed.</param>
/// <param name="MedianMilliseconds">Median time of a step: data, forward, estimator, backward, optimiser, norms.</param>
/// <param name="MinimumMilliseconds">Shortest time of a step.</param>
/// <param name="Parameters">Trained scalars.</param>
/// <param name="FlopsPerStep">The floor: floating-point operations that the derivation needs, see <see cref="StepBenchmark.Floor"/>.</param>
/// <param name="MadeFlopsPerStep">Operations of the products as they are made; fewer where a small Jacobian replaces the sweep.</param>
public sealed record StepTiming(
    int Steps, double MedianMilliseconds, double MinimumMilliseconds, long Parameters, double FlopsPerStep, double MadeFlopsPerStep);

/// <summary>Times training steps of a configuration.</summary>
public static class StepBenchmark
{
    private const int WarmUpSteps = 30;
    private const int LeastSteps = 3;
    private static readonly TimeSpan s_longestWarmUp = TimeSpan.FromSeconds(3);

    /// <summary>Runs and times up to <paramref name="steps"/> steps after a warm-up of 30 steps or, for slow models, of 3 seconds.</summary>
    /// <param name="configuration">The model and how it is trained.</param>
    /// <param name="backend">Where.</param>
    /// <param name="data">On what.</param>
    /// <param name="steps">Steps to time.</param>
    /// <param name="limit">Time after which to stop, but not before 3 steps; null for never.</param>
    public static StepTiming Run(Configuration configuration, IBackend backend, IPointSource data, int steps, TimeSpan? limit = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        var trainer = new Trainer(configuration, backend, data);
        Trainer.ReleaseSetUp();
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < WarmUpSteps && (i == 0 || watch.Elapsed < s_longestWarmUp); i++)
        {
            trainer.Step();
        }

        var times = new List<double>();
        watch.Restart();
        while (times.Count < steps && (limit is null || times.Count < LeastSteps || watch.Elapsed < limit))
        {
            long start = Stopwatch.GetTimestamp();
            trainer.Step();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        LogDetEstimator estimator = configuration.Task?.Kind == TaskKind.Classification ? new NoLogDeterminant() : EstimatorFactory.Create(configuration.LogDet);
        int batch = configuration.Training.Batch;
        double Total(double products) => Floor(trainer.Flow, batch, products, estimator.CotangentCount(data.Width));
        return new StepTiming(
            times.Count, times[times.Count / 2], times[0], trainer.Flow.TrainedCount, Total(estimator.ExpectedProducts(data.Width)),
            Total(estimator.MadeProducts(data.Width)));
    }

    /// <summary>
    /// Floating-point operations of a step: for each block a forward evaluation, <paramref name="products"/> products with its Jacobian,
    /// and a backward pass over the value and <paramref name="cotangents"/> tangents, two products each; for the head, if there is one, a forward
    /// and a backward pass of values. Two operations a sample and use of a weight; a convolution uses its weights at each pixel, those
    /// beyond the edge included.
    /// </summary>
    public static double Floor(Flow flow, int batch, double products, int cotangents)
    {
        double head = flow.Head is null ? 0 : Multiplications(flow.Head.Parameters);
        double blocks = Multiplications(flow.Parameters) - head;
        return 2.0 * batch * ((blocks * (1 + products + (2 * (1 + cotangents)))) + (3 * head));
    }

    private static double Multiplications(IEnumerable<Parameter> parameters) =>
        parameters.Where(p => p.Role == ParameterRole.Weight).Sum(p => (double)p.Value.Count * p.Uses);
}
