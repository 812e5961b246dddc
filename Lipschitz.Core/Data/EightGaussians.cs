using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>Eight normal densities of deviation 1/2 whose centres lie evenly on the circle of radius 4, all divided by 1.414.</summary>
public sealed class EightGaussians : ToyDensity
{
    /// <inheritdoc/>
    public override string Name => "8gaussians";

    /// <inheritdoc/>
    protected override (double X, double Y) Point(ref RandomSource random)
    {
        (double sin, double cos) = Math.SinCos(Math.PI / 4 * random.NextInt(8));
        double x = (4 * cos) + (0.5 * random.NextNormal());
        double y = (4 * sin) + (0.5 * random.NextNormal());
        return (x / 1.414, y / 1.414);
    }
}
