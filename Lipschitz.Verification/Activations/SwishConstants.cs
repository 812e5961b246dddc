using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Activations;

/// <summary>
/// The constants behind LipSwish: t with <c>t tanh t = 1</c>, and the slopes of <c>x sigmoid(x)</c>, which fill [(1-t)/2, (1+t)/2].
/// </summary>
/// <remarks>
/// With s(v) = v sigmoid(v): s''(v) = sigmoid'(v) (2 - v tanh(v/2)) vanishes at v = +-2t only, s' -&gt; 0 and 1 at the ends, and
/// s'(-v) = 1 - s'(v). At v = 2t, sigmoid = 1/(1 + e^(-2t)) = (1 + tanh t)/2 = (1 + 1/t)/2 and
/// s' = sigmoid (1 + 2t (1 - sigmoid)) = (1 + 1/t)/2 (1 + t - 1) = (1 + t)/2. All with rational arithmetic: no call into a library.
/// </remarks>
public static class SwishConstants
{
    private const int Terms = 60;

    /// <summary>Two neighbouring doubles around t = 1.19967864025773.., proven when first asked for.</summary>
    public static Interval T { get; } = EncloseT();

    /// <summary>Encloses the divisor of LipSwish, the real number 1.1.</summary>
    public static Interval LipSwishDivisor { get; } = (Interval)11 / 10;

    /// <summary>Encloses the divisor of CLipSwish, the real number 1.004.</summary>
    public static Interval CLipSwishDivisor { get; } = (Interval)1004 / 1000;

    /// <summary>Contains (1 + t)/2, the largest slope of x sigmoid(x).</summary>
    public static Interval LargestSlope { get; } = (1 + T) / 2;

    /// <summary>Contains (1 - t)/2, the least slope of x sigmoid(x).</summary>
    public static Interval LeastSlope { get; } = (1 - T) / 2;

    /// <summary>
    /// Whether x &lt; t (-1), x &gt; t (1), or 0 if the Taylor sums do not decide it. t tanh t = 1 iff (t - 1) e^(2t) = t + 1, and
    /// x tanh x increases for x &gt; 0.
    /// </summary>
    public static int Compare(Rational x, int terms = Terms)
    {
        (Rational lower, Rational upper) = Rational.Exp(2 * x, terms);
        Rational factor = x - 1, target = x + 1;
        if (factor <= 0)
        {
            return -1;
        }

        return factor * lower > target ? 1 : factor * upper < target ? -1 : 0;
    }

    /// <summary>Proves LipSwish's constant (1 + t)/2.2 &lt; 1: t &lt; 6/5, because e^(12/5) &gt; 11, by a Taylor sum of nine terms.</summary>
    public static bool LipSwishIsBelowOne() => Compare(new Rational(6, 5), 8) == 1;

    /// <summary>
    /// Proves CLipSwish's constant in the 2-norm, <c>sqrt((1 + t^2)/2)/1.1/1.004</c>, below 1: (1 + r^2)/2 &lt; (1.1 * 1.004)^2 for a
    /// rational r &gt; t.
    /// </summary>
    public static bool CLipSwishIsBelowOne()
    {
        Rational r = new(11997, 10000), divisor = new Rational(11, 10) * new Rational(1004, 1000);
        return Compare(r, 12) == 1 && (1 + (r * r)) / 2 < divisor * divisor;
    }

    private static Interval EncloseT()
    {
        double guess = 1.1996786402577339;
        for (double below = Math.BitDecrement(Math.BitDecrement(guess)); below <= guess; below = Math.BitIncrement(below))
        {
            double above = Math.BitIncrement(below);
            if (Compare(Rational.Exactly(below)) == -1 && Compare(Rational.Exactly(above)) == 1)
            {
                return new(below, above);
            }
        }

        throw new InvalidOperationException("The rational proof of t tanh t = 1 failed.");
    }
}
