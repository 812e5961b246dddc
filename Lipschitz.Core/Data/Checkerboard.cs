using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>Uniform on the eight 2 x 2 squares of [-4, 4]² whose lower left corner is 2 (i, j) with i + j even.</summary>
public sealed class Checkerboard : ToyDensity
{
    /// <inheritdoc/>
    public override string Name => "checkerboard";

    /// <summary>ln 32 nats, exactly: the logarithm of the area.</summary>
    public override double? Entropy => Math.Log(32);

    /// <inheritdoc/>
    protected override (double X, double Y) Point(ref RandomSource random)
    {
        double x = (4 * random.NextDouble()) - 2;
        double y = random.NextDouble();
        int column = (int)Math.Floor(x);
        int row = (column & 1) - (2 * random.NextInt(2)); // of one parity with the column, in -2, …, 1
        return (2 * x, 2 * (y + row));
    }
}
