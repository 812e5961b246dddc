using Lipschitz.LogDet;

namespace Lipschitz.Training;

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">Steps done, this one included.</param>
/// <param name="Loss">
/// What is minimised, of the batch before the step: the mean negative log-likelihood in nats with the training estimator's own value (not
/// the surrogate that its gradient comes from), or with a task of classes the bits a picture of <see cref="Models.TaskSettings"/>.
/// </param>
/// <param name="GradientNorm">2-norm of the gradient before clipping.</param>
/// <param name="LearningRate">The step size used.</param>
public readonly record struct StepReport(long Step, double Loss, double GradientNorm, double LearningRate)
{
    /// <summary>Mean negative log-likelihood in nats; null where no densities are learned.</summary>
    public double? NegativeLogLikelihood { get; init; }

    /// <summary>Mean cross entropy in nats; null where no classes are learned.</summary>
    public double? CrossEntropy { get; init; }

    /// <summary>The part of the batch whose class has the largest logit; null where no classes are learned.</summary>
    public double? Accuracy { get; init; }
}

/// <summary>A test on held-out points.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="NegativeLogLikelihood">Mean of -log p(x), in nats; NaN where no densities are learned.</param>
/// <param name="StandardError">Of that mean over points.</param>
/// <param name="Points">The number of points.</param>
/// <param name="Kind">Whether each log p(x) is exact, unbiased or biased.</param>
public readonly record struct TestReport(long Step, double NegativeLogLikelihood, double StandardError, int Points, LogDetKind Kind)
{
    /// <summary>What training minimises, on these points; the lower the better.</summary>
    public double Loss { get; init; }

    /// <summary>The mean in bits per dimension; null for data that are no pictures.</summary>
    public BitsPerDim? Bits { get; init; }

    /// <summary>
    /// The standard error, in nats, that the random estimator leaves in the mean, from independent repeats on the same points; null without
    /// repeats or randomness.
    /// </summary>
    public double? RepeatError { get; init; }

    /// <summary>How well classes are told; null where none are learned.</summary>
    public ClassReport? Classes { get; init; }
}

/// <summary>How well a classification head tells held-out pictures.</summary>
/// <param name="Accuracy">The part of the pictures whose class has the largest logit.</param>
/// <param name="AccuracyError">Its standard error, <c>sqrt(a (1 - a) / n)</c>.</param>
/// <param name="CrossEntropy">Mean cross entropy in nats.</param>
/// <param name="CrossEntropyError">Its standard error over pictures.</param>
public readonly record struct ClassReport(double Accuracy, double AccuracyError, double CrossEntropy, double CrossEntropyError);
