namespace Lipschitz.Verification.Rounding;

/// <summary>Enclosures of exp, log, powers, cos and sin made of + - * / alone; the C library is asked for guesses only.</summary>
public static class IntervalFunctions
{
    private const int ExpTerms = 18; // 0.35^19/19! < 2^-100
    private const int TrigonometricTerms = 11; // 0.79^24/24! < 2^-87

    /// <summary>Encloses log 2; the lower end is the double nearest to it.</summary>
    public static readonly Interval Ln2 = Neighbours(0x3FE62E42FEFA39EF);

    /// <summary>Encloses pi; the lower end is the double nearest to it.</summary>
    public static readonly Interval Pi = Neighbours(0x400921FB54442D18);

    /// <summary>Encloses exp(x).</summary>
    public static Interval Exp(Interval x) => new(Exp(x.Lower, false), Exp(x.Upper, true));

    /// <summary>Encloses log(x), x above 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">x contains 0 or less.</exception>
    public static Interval Log(Interval x)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(x.Lower);
        return new(LogPoint(x.Lower).Lower, LogPoint(x.Upper).Upper);
    }

    /// <summary>Encloses x^p for x &gt;= 0 and p &gt; 0.</summary>
    public static Interval Pow(Interval x, Interval p)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(x.Lower);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(p.Lower);
        double lower = x.Lower == 0 ? 0 : Exp(p * LogPoint(x.Lower)).Lower;
        double upper = x.Upper == 0 ? 0 : Exp(p * LogPoint(x.Upper)).Upper;
        return new(lower, upper);
    }

    /// <summary>Encloses 1/(1 + exp(-x)).</summary>
    public static Interval Sigmoid(Interval x) => new(SigmoidPoint(x.Lower).Lower, SigmoidPoint(x.Upper).Upper);

    /// <summary>Encloses cos and sin of pi a/b. The angle is reduced to [0, pi/4] in integers.</summary>
    public static (Interval Cos, Interval Sin) CosSinPi(long a, long b)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(b);
        long turn = 2 * b;
        a = ((a % turn) + turn) % turn; // angle in [0, 2 pi)
        bool negativeSin = a > b;
        a = negativeSin ? turn - a : a; // [0, pi]
        bool negativeCos = 2 * a > b;
        a = negativeCos ? b - a : a; // [0, pi/2]
        bool swap = 4 * a > b;

        // swap: the angle pi/2 - pi a/b = pi (b - 2a)/(2b)
        (long numerator, long denominator) = swap ? (b - (2 * a), 2 * b) : (a, b);
        (Interval c, Interval s) = Taylor(Pi * ((Interval)numerator / denominator), numerator == 0);
        (c, s) = swap ? (s, c) : (c, s);
        return (negativeCos ? -c : c, negativeSin ? -s : s);
    }

    private static (Interval Cos, Interval Sin) Taylor(Interval x, bool isZero)
    {
        if (isZero)
        {
            return (1, 0);
        }

        // Horner in x^2; both series alternate with falling terms, so what follows the last term kept is that term times a number in
        // [0, 1].
        Interval square = x.Square();
        Interval cos = new(0, 1), sin = new(0, 1);
        for (int k = TrigonometricTerms; k >= 1; k--)
        {
            cos = 1 - (square / ((2.0 * k) * ((2 * k) - 1)) * cos);
            sin = 1 - (square / ((2.0 * k) * ((2 * k) + 1)) * sin);
        }

        return (Interval.Intersect(cos, new(-1, 1)), Interval.Intersect(x * sin, new(-1, 1)));
    }

    private static double Exp(double x, bool up)
    {
        if (double.IsNaN(x))
        {
            throw new ArgumentException("exp of NaN.");
        }

        if (x > 709 || x < -740)
        {
            // exp(709) < double.MaxValue, exp(-740) > 2^-1074.
            return x > 0 ? (up ? double.PositiveInfinity : 1e307) : (up ? Math.ScaleB(1, -1067) : 0);
        }

        double k = Math.Round(x / Ln2.Lower);
        Interval r = x - (k * Ln2);

        // |r| < 1, so the innermost factor 1 + r/19 (1 + r/20 (..)) lies in [0.9, 1.1].
        Interval sum = new(0.9, 1.1);
        for (int i = ExpTerms; i >= 1; i--)
        {
            sum = 1 + (r / i * sum);
        }

        return up ? Outward.ScaleUp(sum.Upper, (int)k) : Math.Max(0, Outward.ScaleDown(sum.Lower, (int)k));
    }

    // log x = y + log z with z = x exp(-y), and 1 - 1/z <= log z <= z - 1; y is a guess that makes z nearly 1.
    private static Interval LogPoint(double x)
    {
        if (x == 1)
        {
            return 0;
        }

        int exponent = Math.ILogB(x);
        double mantissa = Math.ScaleB(x, -exponent); // in [1, 2), exact
        double y = Math.Log(mantissa);
        Interval z = mantissa * Exp((Interval)(-y));
        Interval rest = new((1 - (1 / z)).Lower, (z - 1).Upper);
        return y + rest + (exponent * Ln2);
    }

    private static Interval SigmoidPoint(double x) => x >= 0
        ? 1 / (1 + Exp((Interval)(-x)))
        : Interval.Intersect(Exp((Interval)x) / (1 + Exp((Interval)x)), new(0, 1));

    private static Interval Neighbours(ulong bits)
    {
        double lower = BitConverter.UInt64BitsToDouble(bits);
        return new(lower, Math.BitIncrement(lower));
    }
}
