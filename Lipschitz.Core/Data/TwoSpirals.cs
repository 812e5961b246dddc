using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>
/// ±(-n cos n + U/2, n sin n + U/2) / 3 plus noise N(0, 0.1²), where n = 3π sqrt U; every U is a uniform number of its own on [0, 1).
/// </summary>
public sealed class TwoSpirals : ToyDensity
{
    /// <inheritdoc/>
    public override string Name => "2spirals";

    /// <inheritdoc/>
    protected override (double X, double Y) Point(ref RandomSource random)
    {
        double sign = random.NextSign();
        double n = 3 * Math.PI * Math.Sqrt(random.NextDouble());
        (double sin, double cos) = Math.SinCos(n);
        double x = (-n * cos) + (0.5 * random.NextDouble());
        double y = (n * sin) + (0.5 * random.NextDouble());
        return ((sign * x / 3) + (0.1 * random.NextNormal()), (sign * y / 3) + (0.1 * random.NextNormal()));
    }
}
