using System.Globalization;
using System.Reflection;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu.Diagnostics;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Cli.Reproduction;

/// <summary>Brings the run of a cell to its end, from wherever it stands, and measures it.</summary>
/// <param name="folder">The cell and its folder.</param>
/// <param name="backend">Where to train.</param>
/// <param name="dataPath">Where the pictures lie; null for points, and for the place that a run begun before has kept.</param>
/// <param name="testPoints">Points of the last test; null for the experiment's.</param>
internal sealed class CellRun(CellFolder folder, IBackend backend, string? dataPath, int? testPoints)
{
    /// <summary>Trains what is missing, measures the model and writes its result.</summary>
    /// <param name="display">Shows the training.</param>
    /// <param name="cancellation">Asks to save a checkpoint and stop.</param>
    /// <exception cref="InterruptedException">Cancelled; a checkpoint is saved.</exception>
    /// <exception cref="DivergedException">A number became non-finite; the last checkpoint is as it was.</exception>
    /// <exception cref="InputException">The folder holds another run.</exception>
    public CellResult Run(TrainingDisplay display, CancellationToken cancellation)
    {
        RunDirectory? begun = folder.Open();
        Configuration configuration = folder.Cell.Configuration(dataPath ?? begun?.Configuration.DataPath);
        IPointSource data = DataSources.Open(configuration);
        RunDirectory run = begun ?? OutputException.Guard(folder.Path, () => RunDirectory.Create(folder.Path, configuration));
        bool trained = !IsComplete(run) && Train(run, configuration, data, begun is not null, display, cancellation);
        CellResult result = Measure(run, configuration, data, trained);
        OutputException.Guard(run.Path, () => run.Metrics.Replace(CompactMetrics.Of(run.Metrics.Read())));
        result.Write(run.Path);
        return result;
    }

    // A finished model whose training state was not kept.
    private static bool IsComplete(RunDirectory run) => !run.HasTrainingState && run.ModelFacts()?.Step == run.Configuration.Training.Steps;

    private bool Train(
        RunDirectory run, Configuration configuration, IPointSource data, bool resumes, TrainingDisplay display, CancellationToken cancellation)
    {
        Trainer trainer = UsageException.Guard(() => new Trainer(configuration, backend, data));
        Trainer.ReleaseSetUp();
        var training = new TrainingRun(trainer, run, continuation: "continue with the same command");
        training.Begin(resumes);
        long first = trainer.StepsDone;
        if (first < configuration.Training.Steps)
        {
            display.Announce($"  {configuration.Data}, {folder.Cell.Model.Title}: {trainer.Flow.TrainedCount} parameters,"
                + $" {ComputeOptions.Describe(backend)}{(first > 0 ? $", from step {first}" : "")}, into {run.Path}");
        }

        display.Watch(trainer, report => training.Run(report, cancellation));
        if (first == trainer.StepsDone)
        {
            // The model may have been scaled down for its proof by a process that was killed before it could write so: again from the trained one.
            OutputException.Guard(run.Path, () => run.SaveModel(trainer));
        }

        return first < trainer.StepsDone;
    }

    private CellResult Measure(RunDirectory run, Configuration configuration, IPointSource data, bool trained)
    {
        int count = testPoints ?? folder.Cell.Group.TestPoints ?? configuration.Evaluation.Points;
        Configuration tested = configuration with { Evaluation = configuration.Evaluation with { Points = count } };
        TestReport Test() => FlowTest.Run(run.LoadFlow(backend), tested, data, configuration.Training.Steps);
        Certification certification = Certification.Make(run, Test(), Test, backend);
        TestReport test = certification.After;
        Flow flow = Runs.LoadInvertible(run, best: false, backend);
        double[] points = RoundTrip.TestPoints(configuration, data);
        RoundTrip? trip = TryRoundTrip(flow, points, RoundTrip.DefaultTolerance(configuration));
        return new CellResult
        {
            Data = configuration.Data,
            Model = folder.Cell.Model.Name,
            Seed = configuration.Seed,
            Steps = configuration.Training.Steps,
            Parameters = flow.TrainedCount,
            Unit = test.Bits is null ? "nats" : "bits per dimension",
            Test = test.Bits?.Value ?? test.NegativeLogLikelihood,
            StandardError = test.Bits?.StandardError ?? test.StandardError,
            Points = test.Points,
            LogDet = test.Kind,
            Entropy = data.Entropy,
            Seconds = run.Metrics.Read().Max(line => line.Seconds) ?? 0,
            TrainedHere = trained,
            Backend = backend.Name,
            Threads = backend.Threads,
            Processor = CpuInfo.Read().Processor,
            Certified = certification.Certificate.IsContractive,
            LargestBlockBound = certification.LargestBound,
            ScaledWeights = certification.Scaled.Count,
            ScalingChange = certification.Change,
            RoundTripPoints = points.Length / flow.Width,
            RoundTripError = trip?.Errors.Max(),
            RoundTripBlockBound = trip?.Report.BlockErrorBounds.Max(),
            Date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Version = typeof(Flow).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
        };
    }

    // A flow that is not known to be invertible is a result, not a failure.
    private static RoundTrip? TryRoundTrip(Flow flow, double[] points, double tolerance)
    {
        try
        {
            return RoundTrip.Of(flow, points, tolerance);
        }
        catch (ConvergenceException)
        {
            return null;
        }
    }
}
