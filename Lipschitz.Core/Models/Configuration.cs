using System.Text.Json.Serialization;
using Lipschitz.Backends;
using Lipschitz.LogDet;

namespace Lipschitz.Models;

/// <summary>Everything that determines a run: the model, its estimator, its training and its data; the content of <c>config.json</c>.</summary>
public sealed record Configuration
{
    /// <summary>The preset this began as.</summary>
    public required string Name { get; init; }

    /// <summary>A toy data set's name, or the path of a .csv or .npy file.</summary>
    public string Data { get; init; } = "moons";

    /// <summary>Where the pictures of a named set lie; null for those that come with the library and for points.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DataPath { get; init; }

    /// <summary>What is done to pictures before the flow sees them; null for points.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PictureSettings? Pictures { get; init; }

    /// <summary>The seed of every random number of the run.</summary>
    public ulong Seed { get; init; }

    /// <summary>Learning classes, too or instead; null for densities alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TaskSettings? Task { get; init; }

    /// <summary>The flow.</summary>
    public required ModelSettings Model { get; init; }

    /// <summary>The log-determinant in training.</summary>
    public required LogDetSettings LogDet { get; init; }

    /// <summary>The optimiser and its schedule.</summary>
    public required TrainingSettings Training { get; init; }

    /// <summary>The test.</summary>
    public required EvaluationSettings Evaluation { get; init; }
}

/// <summary>The shape of g in a residual block y = x + g(x).</summary>
public enum BranchKind
{
    /// <summary>Dense layers [e1 x; e2 phi(Wx + b)], then a linear layer back (i-DenseNet).</summary>
    DenseNet,

    /// <summary>An activation before each linear layer (Residual Flow).</summary>
    Residual,
}

/// <summary>How e1 and e2 of a dense layer are chosen.</summary>
public enum ConcatenationKind
{
    /// <summary>e1 = e2 = c / sqrt 2.</summary>
    Fixed,

    /// <summary>Learned on the circle of radius c.</summary>
    Learnable,
}

/// <summary>The architecture of a flow.</summary>
public sealed record ModelSettings
{
    /// <summary>The shape of g.</summary>
    public required BranchKind Branch { get; init; }

    /// <summary>The number of residual blocks.</summary>
    public required int Blocks { get; init; }

    /// <summary>DenseNet: dense layers a block.</summary>
    public int Depth { get; init; }

    /// <summary>DenseNet: columns each dense layer adds (before CLipSwish doubles them).</summary>
    public int Growth { get; init; }

    /// <summary>Residual: the hidden widths of g.</summary>
    public int[] Hidden { get; init; } = [];

    /// <summary>The nonlinearity.</summary>
    public Activation Activation { get; init; } = Activation.LipSwish;

    /// <summary>Whether e1 and e2 are learned.</summary>
    public ConcatenationKind Concatenation { get; init; } = ConcatenationKind.Fixed;

    /// <summary>c: the radius of the circle that (e1, e2) lies on.</summary>
    public double ConcatenationBound { get; init; } = 0.98;

    /// <summary>The norm each linear layer is scaled down to when its estimate exceeds it.</summary>
    public double Coefficient { get; init; } = 0.9;

    /// <summary>Whether an ActNorm stands before the first and after every block.</summary>
    public bool ActNorm { get; init; }

    /// <summary>The multi-scale model of pictures; null for points, where <see cref="Blocks"/> counts.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImageSettings? Image { get; init; }
}

/// <summary>
/// A flow on pictures (Chen et al. 2019; Perugachi-Diaz et al. 2020, appendix): logit, then convolutional blocks at each scale with a
/// squeeze between scales, then fully connected blocks on all features. An ActNorm stands before the first and after every block.
/// </summary>
public sealed record ImageSettings
{
    /// <summary>Rows of pixels; from the data.</summary>
    public int Height { get; init; }

    /// <summary>Pixels of a row; from the data.</summary>
    public int Width { get; init; }

    /// <summary>Numbers of a pixel; from the data.</summary>
    public int Channels { get; init; }

    /// <summary>alpha of the logit transform: 0.05 for colour, 1e-6 for MNIST in the papers.</summary>
    public double Logit { get; init; } = 0.05;

    /// <summary>Squeezes before the first scale; 0 in the papers.</summary>
    public int FirstSqueezes { get; init; }

    /// <summary>Convolutional blocks of each scale.</summary>
    public int[] Blocks { get; init; } = [4, 4, 4];

    /// <summary>Whether half of the channels leave after each scale but the last.</summary>
    public bool FactorOut { get; init; }

    /// <summary>Fully connected blocks at the end.</summary>
    public int FullyConnected { get; init; } = 4;

    /// <summary>DenseNet: the width that a fully connected block first maps to, without activation.</summary>
    public int FullyConnectedWidth { get; init; } = 64;

    /// <summary>DenseNet: dense layers of a fully connected block.</summary>
    public int FullyConnectedDepth { get; init; } = 3;

    /// <summary>DenseNet: columns each of those adds.</summary>
    public int FullyConnectedGrowth { get; init; } = 32;

    /// <summary>Residual: hidden widths of a fully connected block.</summary>
    public int[] FullyConnectedHidden { get; init; } = [128, 128];

    /// <summary>The pictures' shape.</summary>
    [JsonIgnore]
    public Tensors.ImageShape Shape
    {
        get => new(Height, Width, Channels);
        init => (Height, Width, Channels) = (value.Height, value.Width, value.Channels);
    }
}

/// <summary>What is done to pictures before the flow sees them; then they are dequantised, <c>(255 x + U) / 256</c>.</summary>
public sealed record PictureSettings
{
    /// <summary>Height and width that pictures are resized to (bilinear); 0 for as they are.</summary>
    public int Size { get; init; }

    /// <summary>Whether training pictures are mirrored left to right at random.</summary>
    public bool Flip { get; init; }
}

/// <summary>The ways to get log det(I + J).</summary>
public enum LogDetMethod
{
    /// <summary>The determinant of the full Jacobian; small dimensions.</summary>
    Exact,

    /// <summary>The power series with a random number of terms: unbiased.</summary>
    Roulette,

    /// <summary>The power series cut after a fixed number of terms: biased.</summary>
    Truncated,

    /// <summary>The power series with exact traces, cut after a fixed number of terms: biased, no probe noise.</summary>
    ExactTrace,
}

/// <summary>A log-determinant estimator.</summary>
public sealed record LogDetSettings
{
    /// <summary>The method.</summary>
    public required LogDetMethod Method { get; init; }

    /// <summary>Roulette: the distribution of the extra terms N.</summary>
    public TailDistribution Distribution { get; init; } = TailDistribution.Geometric;

    /// <summary>Roulette: p of the geometric, or the mean of the Poisson distribution.</summary>
    public double Parameter { get; init; } = 0.5;

    /// <summary>Roulette: terms always taken, besides N.</summary>
    public int ExactTerms { get; init; } = 2;

    /// <summary>Truncated and ExactTrace: the number of terms.</summary>
    public int Terms { get; init; } = 10;

    /// <summary>Hutchinson probes a sample.</summary>
    public int Probes { get; init; } = 1;

    /// <summary>The distribution of the probes.</summary>
    public ProbeKind Probe { get; init; } = ProbeKind.Gaussian;
}

/// <summary>How the learning rate moves after the warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>It stays.</summary>
    Constant,

    /// <summary>Half a cosine from the learning rate down to zero at the last step.</summary>
    Cosine,
}

/// <summary>The optimiser, its schedule and what happens around each step.</summary>
public sealed record TrainingSettings
{
    /// <summary>Optimiser steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Samples a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Adam's step size after the warm-up.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay of Adam's first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of Adam's second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Adam's epsilon.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>
    /// About the spectral norm of a step of each weight that is held to a norm, after the warm-up, which Muon makes then instead of Adam
    /// (<see cref="Training.Muon"/>); it has the schedule of the learning rate. 0: Adam trains all weights.
    /// </summary>
    public double MuonRate { get; init; }

    /// <summary>Decay of Muon's momentum.</summary>
    public double MuonMomentum { get; init; } = 0.95;

    /// <summary>Steps of linear warm-up.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>The learning rate after the warm-up.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Constant;

    /// <summary>The largest gradient norm; 0 for no clipping.</summary>
    public double Clip { get; init; }

    /// <summary>Decay of the running average of the parameters used for evaluation; 0 for none.</summary>
    public double AverageDecay { get; init; }

    /// <summary>Steps during which the learned concatenation is held at its start.</summary>
    public long HoldConcatenation { get; init; }

    /// <summary>Power iterations after each step, at most.</summary>
    public int PowerIterations { get; init; } = 5;

    /// <summary>Relative change of the estimate at which power iteration stops early; 0 for never.</summary>
    public double PowerTolerance { get; init; }

    /// <summary>
    /// Whether blocks are evaluated again in the backward pass instead of kept from the forward pass: the memory of a shard is then that of
    /// its largest block; the result has the same bits.
    /// </summary>
    public bool Recompute { get; init; }

    /// <summary>Steps between two lines of metrics.</summary>
    public long MetricsInterval { get; init; } = 100;

    /// <summary>Steps between two checkpoints.</summary>
    public long CheckpointInterval { get; init; } = 1000;

    /// <summary>Minutes after which a checkpoint is written whatever the step; 0 for never.</summary>
    public double CheckpointMinutes { get; init; }

    /// <summary>Steps between two tests during training; 0 for only the last.</summary>
    public long TestInterval { get; init; } = 1000;
}

/// <summary>The test after training.</summary>
public sealed record EvaluationSettings
{
    /// <summary>Points of the fixed, seeded test set.</summary>
    public int Points { get; init; } = 10_000;

    /// <summary>Power iterations on the finished weights.</summary>
    public int PowerIterations { get; init; } = 200;

    /// <summary>Relative change of the estimate at which those stop early; 0 for never.</summary>
    public double PowerTolerance { get; init; }

    /// <summary>The log-determinant in the test.</summary>
    public required LogDetSettings LogDet { get; init; }
}
