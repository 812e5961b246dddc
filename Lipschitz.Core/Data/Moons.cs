using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>
/// Two half circles with t uniform on [0, π): (cos t, sin t) or (1 - cos t, 1/2 - sin t), plus noise N(0, 0.1²), times 2, plus (-1, -0.2).
/// </summary>
/// <remarks>scikit-learn's make_moons with noise 0.1.</remarks>
public sealed class Moons : ToyDensity
{
    /// <inheritdoc/>
    public override string Name => "moons";

    /// <summary>2.394 nats, by quadrature (2.39388).</summary>
    public override double? Entropy => 2.394;

    /// <inheritdoc/>
    protected override (double X, double Y) Point(ref RandomSource random)
    {
        bool inner = random.NextInt(2) == 1;
        (double sin, double cos) = Math.SinCos(Math.PI * random.NextDouble());
        double x = (inner ? 1 - cos : cos) + (0.1 * random.NextNormal());
        double y = (inner ? 0.5 - sin : sin) + (0.1 * random.NextNormal());
        return ((2 * x) - 1, (2 * y) - 0.2);
    }
}
