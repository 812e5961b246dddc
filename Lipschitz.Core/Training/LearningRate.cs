using Lipschitz.Models;

namespace Lipschitz.Training;

/// <summary>The learning rate of each step: linear warm-up, then constant or half a cosine.</summary>
public static class LearningRate
{
    /// <summary>Adam's rate in step <paramref name="step"/>, counted from 0.</summary>
    public static double At(TrainingSettings training, long step) => At(training, training.LearningRate, step);

    /// <summary>As <see cref="At(TrainingSettings, long)"/>, of a rate that is <paramref name="peak"/> after the warm-up.</summary>
    internal static double At(TrainingSettings training, double peak, long step)
    {
        if (step < training.WarmupSteps)
        {
            return peak * (step + 1) / training.WarmupSteps;
        }

        if (training.Schedule == ScheduleKind.Constant)
        {
            return peak;
        }

        double progress = (step - training.WarmupSteps) / (double)Math.Max(1, training.Steps - training.WarmupSteps);
        return peak * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(progress, 1)));
    }
}
