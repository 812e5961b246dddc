using Lipschitz.LogDet;

namespace Lipschitz.Training;

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">Steps done, this one included.</param>
/// <param name="Loss">Mean negative log-likelihood of the batch before the step, in nats, with the training estimator.</param>
/// <param name="GradientNorm">2-norm of the gradient before clipping.</param>
/// <param name="LearningRate">The step size used.</param>
public readonly record struct StepReport(long Step, double Loss, double GradientNorm, double LearningRate);

/// <summary>A test on held-out points.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="NegativeLogLikelihood">Mean of -log p(x), in nats.</param>
/// <param name="StandardError">Of that mean over points.</param>
/// <param name="Points">The number of points.</param>
/// <param name="Kind">Whether each log p(x) is exact, unbiased or biased.</param>
public readonly record struct TestReport(long Step, double NegativeLogLikelihood, double StandardError, int Points, LogDetKind Kind);
