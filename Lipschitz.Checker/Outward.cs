namespace Lipschitz.Checker;

/// <summary>Double arithmetic rounded outward: each result is at least (Up) or at most (Down) the real one.</summary>
/// <remarks>
/// IEEE 754 rounds + - * / sqrt to nearest, so the real result lies strictly between the two neighbours of the computed one; underflow
/// included. An overflow to infinity is an upper bound; the largest finite number is a lower bound of what overflowed.
/// </remarks>
internal static class Outward
{
    /// <summary>u, half the distance from 1 to the next double.</summary>
    public const double Unit = 1.0 / (1L << 53);

    private const int ExpTerms = 18;

    /// <summary>Whether x x is rounded before it is subtracted from, and underflow is gradual; for x = 1 + 2^-30.</summary>
    public static bool IsIeee(double x)
    {
        double square = x * x;
        return (x * x) - square == 0 && square != 1 && double.Epsilon * x > 0;
    }

    public static double AddUp(double a, double b) => Math.BitIncrement(a + b);
    public static double SubtractDown(double a, double b) => Math.BitDecrement(a - b);
    public static double MultiplyUp(double a, double b) => Math.BitIncrement(a * b);
    public static double MultiplyDown(double a, double b) => Math.BitDecrement(a * b);
    public static double DivideUp(double a, double b) => Math.BitIncrement(a / b);
    public static double DivideDown(double a, double b) => Math.BitDecrement(a / b);
    public static double SqrtUp(double a) => Math.BitIncrement(Math.Sqrt(a));

    /// <summary>At least gamma_n = n u / (1 - n u): the relative error of n operations in a row (Higham 2002, section 3.1).</summary>
    public static double Gamma(long n) => n < 1L << 50
        ? DivideUp(MultiplyUp(n, Unit), SubtractDown(1, MultiplyUp(n, Unit)))
        : double.PositiveInfinity;

    /// <summary>At least exp(x).</summary>
    /// <remarks>
    /// exp(a) = exp(a/2^k)^(2^k) with a = |x| and a/2^k &lt;= 1/4 exact; all terms of the Taylor series are positive, and its tail after
    /// a^n/n! is below that of the geometric series with ratio 1/4, so that the last bracket is at most 2.
    /// </remarks>
    public static double ExpUp(double x)
    {
        if (!(Math.Abs(x) < 700))
        {
            return double.PositiveInfinity;
        }

        double a = Math.Abs(x);
        int halvings = 0;
        for (; a > 0.25; halvings++)
        {
            a /= 2;
        }

        bool up = x >= 0;
        double y = up ? 2 : 1;
        for (int k = ExpTerms; k >= 1; k--)
        {
            y = up ? AddUp(1, DivideUp(MultiplyUp(a, y), k)) : SubtractDown(1, -Math.Max(0, DivideDown(MultiplyDown(a, y), k)));
        }

        for (int k = 0; k < halvings; k++)
        {
            y = up ? MultiplyUp(y, y) : MultiplyDown(y, y);
        }

        return up ? y : DivideUp(1, y);
    }
}
