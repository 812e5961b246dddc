using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>
/// Four circles about the origin of radius 3, 2.25, 1.5 and 0.75, each with a quarter of the points, plus noise N(0, 0.08²).
/// </summary>
public sealed class Rings : ToyDensity
{
    /// <inheritdoc/>
    public override string Name => "rings";

    /// <inheritdoc/>
    protected override (double X, double Y) Point(ref RandomSource random)
    {
        double radius = 0.75 * (1 + random.NextInt(4));
        (double sin, double cos) = Math.SinCos(2 * Math.PI * random.NextDouble());
        return ((radius * cos) + (0.08 * random.NextNormal()), (radius * sin) + (0.08 * random.NextNormal()));
    }
}
