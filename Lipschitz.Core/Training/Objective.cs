using Lipschitz.Models;

namespace Lipschitz.Training;

/// <summary>What training minimises: a weighted sum of the mean negative log-likelihood and the mean cross entropy, both in nats.</summary>
/// <param name="DensityWeight">Of the negative log-likelihood.</param>
/// <param name="ClassWeight">Of the cross entropy.</param>
/// <param name="Constant">What turns densities of dequantised pictures into bits.</param>
internal readonly record struct Objective(double DensityWeight, double ClassWeight, double Constant)
{
    private const double BitsOfNumber = 8;

    /// <summary>Densities alone: nats. With classes: bits a picture, see <see cref="TaskSettings"/>.</summary>
    public static Objective Of(TaskSettings? task, int dimensions)
    {
        double bit = 1 / Math.Log(2);
        return task switch
        {
            null => new(1, 0, 0),
            { Kind: TaskKind.Classification } => new(0, bit, 0),
            _ => new(task.Weight * bit, bit, task.Weight * BitsOfNumber * dimensions),
        };
    }

    /// <summary>Whether densities count.</summary>
    public bool HasDensity => DensityWeight > 0;

    /// <summary>Whether classes count.</summary>
    public bool HasClasses => ClassWeight > 0;

    /// <summary>The loss of these means; one that does not count may be NaN.</summary>
    public double Loss(double negativeLogLikelihood, double crossEntropy) =>
        (HasDensity ? DensityWeight * negativeLogLikelihood : 0) + (HasClasses ? ClassWeight * crossEntropy : 0) + Constant;
}
