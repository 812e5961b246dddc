using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

/// <summary>A model and a batch small enough to train within a test.</summary>
internal static class TinyRun
{
    public const int Batch = Flow.PointsPerShard + 16; // two shards

    public static Configuration Configuration { get; } = new()
    {
        Name = "tiny",
        Seed = 3,
        Model = new ModelSettings
        {
            Branch = BranchKind.DenseNet,
            Blocks = 2,
            Depth = 2,
            Growth = 8,
            Concatenation = ConcatenationKind.Learnable,
            ActNorm = true,
        },
        LogDet = new LogDetSettings { Method = LogDetMethod.Roulette },
        Training = new TrainingSettings
        {
            Steps = 10,
            Batch = Batch,
            LearningRate = 5e-3,
            WarmupSteps = 3,
            Schedule = ScheduleKind.Cosine,
            Clip = 1,
            AverageDecay = 0.9,
            HoldConcatenation = 2,
            PowerIterations = 2,
        },
        Evaluation = new EvaluationSettings { Points = 300, PowerIterations = 50, LogDet = new LogDetSettings { Method = LogDetMethod.Exact } },
    };

    public static Trainer Create(Configuration configuration, Precision precision = Precision.Float32) =>
        new(configuration, ReferenceBackend.Create(precision), new Moons());

    public static Trainer Create(Func<TrainingSettings, TrainingSettings> change, Precision precision = Precision.Float64) =>
        Create(Configuration with { Training = change(Configuration.Training) }, precision);

    public static void Run(Trainer trainer, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            trainer.Step();
        }
    }

    /// <summary>Every number that the next step depends on.</summary>
    public static double[] State(Trainer trainer) =>
    [
        trainer.StepsDone,
        .. trainer.Flow.Parameters.SelectMany(parameter => Read(trainer, parameter.Value)),
        .. Read(trainer, trainer.FirstMoment), .. Read(trainer, trainer.SecondMoment), .. Read(trainer, trainer.Average),
        .. trainer.Momentum is { } momentum ? Read(trainer, momentum) : [],
    ];

    public static double[] Read(Trainer trainer, Tensor tensor)
    {
        var values = new double[tensor.Count];
        trainer.Flow.Backend.Download(tensor, values);
        return values;
    }

    public static double[] Read(Trainer trainer, ParameterRole role) =>
        [.. trainer.Flow.Parameters.Where(parameter => parameter.Role == role).SelectMany(parameter => Read(trainer, parameter.Value))];
}
