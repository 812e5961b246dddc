namespace Lipschitz.Verification.Rounding;

/// <summary>What the proofs assume of the processor and the runtime, checked once, and the constants that follow.</summary>
/// <remarks>
/// + - * / and sqrt of doubles must be IEEE 754, rounded to nearest, with gradual underflow and without fused contraction. Nothing is
/// assumed of <see cref="Math.Exp"/> and its like. Sums in vector kernels may be fused and in any order: gamma_n covers both.
/// </remarks>
public static class FloatingPoint
{
    /// <summary>u = 2^-53, half the distance from 1 to the next double.</summary>
    public const double UnitRoundoff = 1.0 / (1L << 53);

    /// <summary>
    /// 2^-1000: more than all underflow errors of one proof together when its numbers are scaled to at most 1. A product underflows by
    /// at most 2^-1075, and no proof here makes 2^70 of them.
    /// </summary>
    public static readonly double UnderflowAllowance = Math.ScaleB(1, -1000);

    private static readonly string? s_defect = FindDefect(1 + Math.ScaleB(1, -30), Math.ScaleB(1, -1022), 1, 3);

    /// <summary>Throws unless arithmetic is IEEE 754 double without contraction.</summary>
    /// <exception cref="NotSupportedException">The probe found a difference; the message says which.</exception>
    public static void ThrowUnlessIeee()
    {
        if (s_defect is not null)
        {
            throw new NotSupportedException($"No bound can be proven on this machine: {s_defect}.");
        }
    }

    /// <summary><c>gamma_n = n u / (1 - n u)</c>, rounded up: bounds the relative error of n roundings (Higham 2002, lemma 3.1).</summary>
    /// <exception cref="ArgumentOutOfRangeException">n is negative or 2^40 and more.</exception>
    public static double Gamma(long n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(n, 1L << 40);
        double nu = n * UnitRoundoff; // exact: an integer below 2^53 times a power of two
        return n == 0 ? 0 : Outward.DivideUp(nu, Outward.SubtractDown(1, nu));
    }

    // The arguments keep the compiler from folding the probes.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static string? FindDefect(double x, double smallest, double one, double three)
    {
        double product = x * x; // 1 + 2^-29 + 2^-60 rounds to 1 + 2^-29
        if ((x * x) - product != 0)
        {
            return "products and sums are contracted";
        }

        if (product != 1 + Math.ScaleB(1, -29))
        {
            return "products are not rounded to double";
        }

        if (smallest / 2 == 0 || smallest / 2 * 2 != smallest)
        {
            return "subnormal numbers are flushed to zero";
        }

        double third = one / three;
        if (third != BitConverter.UInt64BitsToDouble(0x3FD5555555555555) || one + (UnitRoundoff * three) != Math.BitIncrement(Math.BitIncrement(one)))
        {
            return "rounding is not to nearest";
        }

        return Math.Sqrt(one + one) == BitConverter.UInt64BitsToDouble(0x3FF6A09E667F3BCD) ? null : "square roots are not rounded correctly";
    }
}
