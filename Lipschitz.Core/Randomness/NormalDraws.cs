namespace Lipschitz.Randomness;

/// <summary>
/// Random matrices by address: element (row, column) is a pure function of (key, row, column), on every backend.
/// </summary>
/// <remarks>
/// Columns 4m, …, 4m + 3 of a row come from the four words (a, b, c, d) of <see cref="Philox.Block"/> at draw m, each made
/// a uniform u = (word + 1/2) · 2^-32 in (0, 1). Uniform numbers are (u_a, u_b, u_c, u_d). Normal numbers are the Box-Muller pairs
/// sqrt(-2 ln u_a) (cos 2π u_b, sin 2π u_b) and sqrt(-2 ln u_c) (cos 2π u_d, sin 2π u_d). Signs are +1 where the word's top bit is 0,
/// so where u is below 1/2, and -1 elsewhere.
/// </remarks>
public static class NormalDraws
{
    private const double Scale = 1.0 / (1L << 32);

    /// <summary>The standard normal number at (<paramref name="row"/>, <paramref name="column"/>).</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="column"/> is negative.</exception>
    public static double Normal(RandomKey key, uint row, int column)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(column);
        Philox.Block(key, row, (uint)column / 4, out uint a, out uint b, out uint c, out uint d);
        (double first, double second) = (column & 2) == 0 ? Pair(a, b) : Pair(c, d);
        return (column & 1) == 0 ? first : second;
    }

    /// <summary>values[j] ← the standard normal number at (<paramref name="row"/>, j).</summary>
    public static void FillRow(RandomKey key, uint row, Span<double> values)
    {
        Span<double> block = stackalloc double[4];
        for (int start = 0; start < values.Length; start += 4)
        {
            Philox.Block(key, row, (uint)start / 4, out uint a, out uint b, out uint c, out uint d);
            (block[0], block[1]) = Pair(a, b);
            (block[2], block[3]) = Pair(c, d);
            CopyBlock(block, values, start);
        }
    }

    /// <summary>values[j] ← +1 or -1, each with probability 1/2: the Rademacher number at (<paramref name="row"/>, j).</summary>
    public static void FillRowSigns(RandomKey key, uint row, Span<double> values)
    {
        Span<double> block = stackalloc double[4];
        for (int start = 0; start < values.Length; start += 4)
        {
            Philox.Block(key, row, (uint)start / 4, out uint a, out uint b, out uint c, out uint d);
            (block[0], block[1], block[2], block[3]) = (Sign(a), Sign(b), Sign(c), Sign(d));
            CopyBlock(block, values, start);
        }
    }

    /// <summary>values[j] ← the uniform number in (0, 1) at (<paramref name="row"/>, j), an odd multiple of 2^-33.</summary>
    public static void FillRowUniform(RandomKey key, uint row, Span<double> values)
    {
        Span<double> block = stackalloc double[4];
        for (int start = 0; start < values.Length; start += 4)
        {
            Philox.Block(key, row, (uint)start / 4, out uint a, out uint b, out uint c, out uint d);
            (block[0], block[1], block[2], block[3]) = (Uniform(a), Uniform(b), Uniform(c), Uniform(d));
            CopyBlock(block, values, start);
        }
    }

    private static void CopyBlock(ReadOnlySpan<double> block, Span<double> values, int start) =>
        block[..Math.Min(4, values.Length - start)].CopyTo(values[start..]);

    private static double Uniform(uint word) => (word + 0.5) * Scale;

    private static double Sign(uint word) => word >> 31 == 0 ? 1 : -1;

    private static (double First, double Second) Pair(uint radiusWord, uint angleWord)
    {
        double radius = Math.Sqrt(-2 * Math.Log(Uniform(radiusWord)));
        (double sin, double cos) = Math.SinCos(2 * Math.PI * Uniform(angleWord));
        return (radius * cos, radius * sin);
    }
}
