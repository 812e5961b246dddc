using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>(t cos t, t sin t) with t uniform on [1.5π, 4.5π), plus noise N(0, 1), divided by 5.</summary>
/// <remarks>The first and last column of scikit-learn's make_swiss_roll with noise 1.</remarks>
public sealed class SwissRoll : ToyDensity
{
    /// <inheritdoc/>
    public override string Name => "swissroll";

    /// <inheritdoc/>
    protected override (double X, double Y) Point(ref RandomSource random)
    {
        double t = 1.5 * Math.PI * (1 + (2 * random.NextDouble()));
        (double sin, double cos) = Math.SinCos(t);
        return (((t * cos) + random.NextNormal()) / 5, ((t * sin) + random.NextNormal()) / 5);
    }
}
