using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Exponential and what is made of it, on registers.</summary>
internal static class VectorMath<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>A constant in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Constant(double value) =>
        TLanes.Broadcast(typeof(T) == typeof(float) ? (T)(object)(float)value : (T)(object)value);

    /// <summary>exp(x), within 2 units in the last place; 0 and infinity beyond the range, NaN for NaN.</summary>
    /// <remarks>
    /// x = n ln 2 + r with |r| &lt;= ln(2)/2, ln 2 in two parts of which n times the first is exact (Cody and Waite 1980). float: the
    /// minimax polynomial of Cephes' expf (Moshier 1989). double: the Taylor series, whose next term is below 2^-57.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp(TVector x)
    {
        // Where the result is certainly 0 or infinity; keeps n small enough for Scale. NaN in the second operand comes through.
        double limit = typeof(T) == typeof(float) ? 110 : 750;
        x = TLanes.Max(Constant(-limit), TLanes.Min(Constant(limit), x));
        TVector p = Reduced(x, out TVector shifted);
        return TLanes.Scale(TLanes.Add(p, Constant(1)), shifted);
    }

    /// <summary>exp(x) for x within +-87 (double: +-708), where it is a normal number; beyond as if x were there. NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ExpNormal(TVector x)
    {
        double limit = typeof(T) == typeof(float) ? 87 : 708;
        x = TLanes.Max(Constant(-limit), TLanes.Min(Constant(limit), x));
        TVector p = Reduced(x, out TVector shifted);
        TVector scale = TLanes.PowerOfTwo(shifted);
        return TLanes.MultiplyAdd(p, scale, scale);
    }

    /// <summary>g = 1/(1 + exp(u)) and h = 1 - g: the sigmoid of -u.</summary>
    /// <remarks>
    /// Both to full relative precision, down to 1e-38 (double: 1e-308), where they stay: what is multiplied by them is 0 for every
    /// purpose, and no step needs a case distinction. The sign is the caller's to fold into a factor.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SigmoidOfNegative(TVector u, out TVector g, out TVector h)
    {
        TVector e = ExpNormal(u);
        g = TLanes.Divide(Constant(1), TLanes.Add(Constant(1), e));
        h = TLanes.Multiply(e, g);
    }

    /// <summary>log(1 + exp(x)).</summary>
    /// <remarks>
    /// max(x, 0) + log(1 + e) with e = exp(-|x|) &lt;= 1, and log(1 + e) = 2 artanh(w), w = e/(2 + e) &lt;= 1/3: the series in w^2 &lt;= 1/9
    /// needs no logarithm and has full relative precision for small e.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Softplus(TVector x)
    {
        TVector e = Exp(TLanes.Subtract(Constant(0), TLanes.Abs(x)));
        TVector w = TLanes.Divide(e, TLanes.Add(Constant(2), e));
        TVector s = TLanes.Multiply(w, w);
        TVector p = Constant(1.0 / 15);
        if (typeof(T) == typeof(double))
        {
            p = Constant(1.0 / 33);
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 31));
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 29));
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 27));
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 25));
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 23));
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 21));
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 19));
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 17));
            p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 15));
        }

        p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 13));
        p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 11));
        p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 9));
        p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 7));
        p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 5));
        p = TLanes.MultiplyAdd(p, s, Constant(1.0 / 3));
        p = TLanes.MultiplyAdd(p, s, Constant(1));
        TVector positive = TLanes.Max(Constant(0), x); // NaN in x comes through
        return TLanes.MultiplyAdd(TLanes.Add(w, w), p, positive);
    }

    /// <summary>tanh(x) and e = exp(-2|x|), from which 1 - tanh(x)^2 = 4 e/(1 + e)^2.</summary>
    /// <remarks>
    /// sign(x) (1 - e)/(1 + e); below 0.625, where 1 - e cancels, the odd approximations of Cephes (Moshier 1989).
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh(TVector x, out TVector e)
    {
        TVector magnitude = TLanes.Abs(x);
        e = ExpNormal(TLanes.Multiply(Constant(-2), magnitude));
        TVector large = TLanes.Divide(TLanes.Subtract(Constant(1), e), TLanes.Add(Constant(1), e));
        large = TLanes.Select(TLanes.Less(x, Constant(0)), TLanes.Subtract(Constant(0), large), large);
        TVector s = TLanes.Multiply(x, x);
        TVector p;
        if (typeof(T) == typeof(float))
        {
            p = TLanes.MultiplyAdd(Constant(-5.70498872745e-3), s, Constant(2.06390887954e-2));
            p = TLanes.MultiplyAdd(p, s, Constant(-5.37397155531e-2));
            p = TLanes.MultiplyAdd(p, s, Constant(1.33314422036e-1));
            p = TLanes.MultiplyAdd(p, s, Constant(-3.33332819422e-1));
        }
        else
        {
            p = TLanes.MultiplyAdd(Constant(-9.64399179425052238628e-1), s, Constant(-9.92877231001918586564e1));
            p = TLanes.MultiplyAdd(p, s, Constant(-1.61468768441708447952e3));
            TVector q = TLanes.Add(s, Constant(1.12811678491632931402e2));
            q = TLanes.MultiplyAdd(q, s, Constant(2.23548839060100448583e3));
            q = TLanes.MultiplyAdd(q, s, Constant(4.84406305325125486048e3));
            p = TLanes.Divide(p, q);
        }

        TVector small = TLanes.MultiplyAdd(TLanes.Multiply(x, s), p, x);
        return TLanes.Select(TLanes.Less(magnitude, Constant(0.625)), small, large);
    }

    /// <summary>exp(r) - 1 with x = n ln 2 + r, and n in the low bits of shifted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Reduced(TVector x, out TVector shifted)
    {
        if (typeof(T) == typeof(float))
        {
            TVector magic = Constant(12582912); // 1.5 2^23: adding it rounds to an integer, left in the low bits
            shifted = TLanes.MultiplyAdd(x, Constant(1.4426950408889634), magic);
            TVector n = TLanes.Subtract(shifted, magic);
            TVector r = TLanes.MultiplyAdd(n, Constant(-0.693359375), x);
            r = TLanes.MultiplyAdd(n, Constant(2.12194440054690583e-4), r);

            // By pairs of terms and not one after the other: these loops are bound by the length of the chain of operations.
            TVector s = TLanes.Multiply(r, r);
            TVector p = TLanes.MultiplyAdd(Constant(1.9875691500e-4), r, Constant(1.3981999507e-3));
            TVector q = TLanes.MultiplyAdd(Constant(8.3334519073e-3), r, Constant(4.1665795894e-2));
            TVector t = TLanes.MultiplyAdd(Constant(1.6666665459e-1), r, Constant(5.0000001201e-1));
            p = TLanes.MultiplyAdd(p, s, q);
            p = TLanes.MultiplyAdd(p, s, t);
            return TLanes.MultiplyAdd(p, s, r);
        }
        else
        {
            TVector magic = Constant(6755399441055744); // 1.5 2^52
            shifted = TLanes.MultiplyAdd(x, Constant(1.4426950408889634), magic);
            TVector n = TLanes.Subtract(shifted, magic);
            TVector r = TLanes.MultiplyAdd(n, Constant(-6.93145751953125e-1), x);
            r = TLanes.MultiplyAdd(n, Constant(-1.42860682030941723212e-6), r);
            TVector p = TLanes.MultiplyAdd(Constant(1 / 6227020800.0), r, Constant(1 / 479001600.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 39916800.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 3628800.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 362880.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 40320.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 5040.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 720.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 120.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 24.0));
            p = TLanes.MultiplyAdd(p, r, Constant(1 / 6.0));
            p = TLanes.MultiplyAdd(p, r, Constant(0.5));
            p = TLanes.MultiplyAdd(p, TLanes.Multiply(r, r), r);
            return p;
        }
    }
}
