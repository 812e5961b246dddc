using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Dense;

/// <summary>p-norms of vectors, rounded up.</summary>
public static class VectorNorm
{
    /// <summary>At least <c>(sum |x_i|^p)^(1/p)</c>, or max |x_i| for p infinite (exact).</summary>
    public static double Up(ReadOnlySpan<double> x, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        return double.IsPositiveInfinity(p) || p == 1 || p == 2 ? Simple(x, p) : Power(x, p);
    }

    /// <summary>At least the norm dual to the p-norm: p/(p-1).</summary>
    public static double DualUp(ReadOnlySpan<double> x, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        return p == 1 ? Up(x, double.PositiveInfinity)
            : double.IsPositiveInfinity(p) ? Up(x, 1)
            : p == 2 ? Up(x, 2)
            : Power(x, (Interval)p / ((Interval)p - 1));
    }

    private static double Simple(ReadOnlySpan<double> x, double p)
    {
        double largest = Largest(x), sum = 0;
        if (double.IsPositiveInfinity(p) || largest == 0)
        {
            return largest;
        }

        if (p == 1)
        {
            foreach (double value in x)
            {
                sum = Outward.AddUp(sum, Math.Abs(value));
            }

            return sum;
        }

        int exponent = Math.ILogB(largest);
        foreach (double value in x)
        {
            double scaled = Outward.ScaleUp(Math.Abs(value), -exponent);
            sum = Outward.AddUp(sum, Outward.MultiplyUp(scaled, scaled));
        }

        return Outward.ScaleUp(Outward.SqrtUp(sum), exponent);
    }

    // largest * (sum (|x_i|/largest)^p)^(1/p), with every quotient in [0, 1].
    private static double Power(ReadOnlySpan<double> x, Interval p)
    {
        double largest = Largest(x);
        if (largest == 0)
        {
            return 0;
        }

        Interval sum = 0;
        foreach (double value in x)
        {
            if (value != 0)
            {
                double quotient = Math.Abs(value) == largest ? 1 : Math.Min(1, Outward.DivideUp(Math.Abs(value), largest));
                sum += IntervalFunctions.Pow(quotient, p);
            }
        }

        return Outward.MultiplyUp(largest, IntervalFunctions.Pow(sum.Upper, 1 / p).Upper);
    }

    private static double Largest(ReadOnlySpan<double> x)
    {
        double largest = 0;
        foreach (double value in x)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        return largest;
    }
}
