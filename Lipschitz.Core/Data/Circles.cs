using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>Two circles about the origin of radius 1 and 1/2, each with half of the points, plus noise N(0, 0.08²), times 3.</summary>
/// <remarks>scikit-learn's make_circles with factor 0.5 and noise 0.08.</remarks>
public sealed class Circles : ToyDensity
{
    /// <inheritdoc/>
    public override string Name => "circles";

    /// <summary>3.268 nats, by quadrature (3.26814).</summary>
    public override double? Entropy => 3.268;

    /// <inheritdoc/>
    protected override (double X, double Y) Point(ref RandomSource random)
    {
        double radius = random.NextInt(2) == 1 ? 0.5 : 1;
        (double sin, double cos) = Math.SinCos(2 * Math.PI * random.NextDouble());
        double x = (radius * cos) + (0.08 * random.NextNormal());
        double y = (radius * sin) + (0.08 * random.NextNormal());
        return (3 * x, 3 * y);
    }
}
