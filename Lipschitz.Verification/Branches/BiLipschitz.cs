using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Branches;

/// <summary><c>|x - y| / Inverse &lt;= |F(x) - F(y)| &lt;= Forward |x - y|</c>: the constants of a bijection and of its inverse.</summary>
/// <param name="Forward">At least Lip(F).</param>
/// <param name="Inverse">At least Lip(F^-1); positive infinity where none is proven.</param>
public readonly record struct BiLipschitz(double Forward, double Inverse)
{
    /// <summary>Of a map that permutes coordinates, such as squeeze or MaxMin's inverse on sorted pairs, in every p-norm.</summary>
    public static BiLipschitz Isometry { get; } = new(1, 1);

    /// <summary>Of the second map after the first.</summary>
    public BiLipschitz Then(BiLipschitz next) =>
        new(Outward.MultiplyUp(Forward, next.Forward), Outward.MultiplyUp(Inverse, next.Inverse));

    /// <summary>Of F on some coordinates beside the identity on the others.</summary>
    public BiLipschitz BesideIdentity() => new(Math.Max(1, Forward), Math.Max(1, Inverse));

    /// <summary>Of x + g(x) with Lip(g) &lt;= bound: 1 + L and 1/(1 - L).</summary>
    public static BiLipschitz Residual(double bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bound);
        double gap = Outward.SubtractDown(1, bound);
        return new(Outward.AddUp(1, bound), gap > 0 ? Outward.DivideUp(1, gap) : double.PositiveInfinity);
    }

    /// <summary>Of ActNorm <c>(x + b) exp(w)</c>, in every p-norm: the largest and the least exp(w_j).</summary>
    /// <param name="logScale">w, one number a column.</param>
    public static BiLipschitz ActNorm(ReadOnlySpan<double> logScale)
    {
        double least = double.PositiveInfinity, largest = double.NegativeInfinity;
        foreach (double w in logScale)
        {
            if (!double.IsFinite(w))
            {
                throw new ArgumentException($"A log scale is {w}: no bound.", nameof(logScale));
            }

            (least, largest) = (Math.Min(least, w), Math.Max(largest, w));
        }

        return logScale.IsEmpty
            ? Isometry
            : new(IntervalFunctions.Exp((Interval)largest).Upper, IntervalFunctions.Exp((Interval)(-least)).Upper);
    }

    /// <summary>
    /// Of <c>logit(a + (1 - 2a) x)</c> on [0, 1]: its slope (1 - 2a)/(s (1 - s)), s in [a, 1 - a], is largest at the ends and least,
    /// 4 (1 - 2a), in the middle.
    /// </summary>
    /// <param name="a">0 &lt; a &lt; 1/2.</param>
    public static BiLipschitz Logit(double a)
    {
        if (!(a > 0 && a < 0.5))
        {
            throw new ArgumentOutOfRangeException(nameof(a), a, "Between 0 and 1/2, both excluded: elsewhere logit is not Lipschitz.");
        }

        Interval width = 1 - (2 * (Interval)a);
        return new((width / (a * (1 - (Interval)a))).Upper, (1 / (4 * width)).Upper);
    }
}
