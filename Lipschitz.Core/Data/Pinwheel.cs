using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>
/// Five arms: (1 + N(0, 0.3²), N(0, 0.1²)), turned clockwise by 2πk/5 + exp(first coordinate)/4 with k = 0, …, 4, times 2.
/// </summary>
/// <remarks>Johnson et al., "Composing graphical models with neural networks" (2016).</remarks>
public sealed class Pinwheel : ToyDensity
{
    /// <inheritdoc/>
    public override string Name => "pinwheel";

    /// <inheritdoc/>
    protected override (double X, double Y) Point(ref RandomSource random)
    {
        double angle = 2 * Math.PI / 5 * random.NextInt(5);
        double radial = 1 + (0.3 * random.NextNormal());
        double tangential = 0.1 * random.NextNormal();
        (double sin, double cos) = Math.SinCos(angle + (0.25 * Math.Exp(radial)));
        return (2 * ((radial * cos) + (tangential * sin)), 2 * ((tangential * cos) - (radial * sin)));
    }
}
