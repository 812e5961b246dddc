using Lipschitz.Checkpoints;
using Lipschitz.Training;

namespace Lipschitz.Cli;

/// <summary>Means over the training steps since the last line of metrics.</summary>
internal sealed class TrainingAverages
{
    private double _loss;
    private double _nats;
    private double _crossEntropy;
    private double _accuracy;
    private long _steps;
    private bool _hasDensity;
    private bool _hasClasses;

    /// <summary>Takes in a step.</summary>
    public void Add(StepReport step)
    {
        _loss += step.Loss;
        _nats += step.NegativeLogLikelihood ?? 0;
        _crossEntropy += step.CrossEntropy ?? 0;
        _accuracy += step.Accuracy ?? 0;
        _steps++;
        (_hasDensity, _hasClasses) = (step.NegativeLogLikelihood is not null, step.CrossEntropy is not null);
    }

    /// <summary>The means as a line of metrics, with the last step's own numbers; starts anew.</summary>
    /// <param name="last">The last step.</param>
    /// <param name="dimensions">The numbers of a picture; null for points.</param>
    public MetricsLine Take(StepReport last, int? dimensions)
    {
        var line = new MetricsLine
        {
            Step = last.Step,
            Loss = _loss / _steps,
            BitsPerDim = _hasDensity && dimensions is { } count ? Lipschitz.Training.BitsPerDim.FromNats(_nats / _steps, count) : null,
            CrossEntropy = _hasClasses ? _crossEntropy / _steps : null,
            Accuracy = _hasClasses ? _accuracy / _steps : null,
            GradientNorm = last.GradientNorm,
            LearningRate = last.LearningRate,
        };
        (_loss, _nats, _crossEntropy, _accuracy, _steps) = (0, 0, 0, 0, 0);
        return line;
    }
}
