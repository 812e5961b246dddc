using Lipschitz.Models;

namespace Lipschitz.Training;

/// <summary>The learning rate of each step: linear warm-up, then constant or half a cosine.</summary>
public static class LearningRate
{
    /// <summary>The rate of step <paramref name="step"/>, counted from 0.</summary>
    public static double At(TrainingSettings training, long step)
    {
        if (step < training.WarmupSteps)
        {
            return training.LearningRate * (step + 1) / training.WarmupSteps;
        }

        if (training.Schedule == ScheduleKind.Constant)
        {
            return training.LearningRate;
        }

        double progress = (step - training.WarmupSteps) / (double)Math.Max(1, training.Steps - training.WarmupSteps);
        return training.LearningRate * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(progress, 1)));
    }
}
