namespace Lipschitz.Verification.Rounding;

/// <summary>Operations whose result is on the promised side of the exact one, whatever overflows or underflows on the way.</summary>
/// <remarks>
/// IEEE rounding to nearest is off by less than the distance to the neighbouring double, subnormal or not, so one step outward is
/// enough. Results that are exact because a factor or summand is zero are left alone.
/// </remarks>
public static class Outward
{
    /// <summary>At least a + b.</summary>
    public static double AddUp(double a, double b) => a == 0 ? b : b == 0 ? a : Math.BitIncrement(a + b);

    /// <summary>At most a + b.</summary>
    public static double AddDown(double a, double b) => a == 0 ? b : b == 0 ? a : Math.BitDecrement(a + b);

    /// <summary>At least a - b.</summary>
    public static double SubtractUp(double a, double b) => AddUp(a, -b);

    /// <summary>At most a - b.</summary>
    public static double SubtractDown(double a, double b) => AddDown(a, -b);

    /// <summary>At least a b.</summary>
    public static double MultiplyUp(double a, double b) => a == 0 || b == 0 ? 0 : a == 1 ? b : b == 1 ? a : Math.BitIncrement(a * b);

    /// <summary>At most a b.</summary>
    public static double MultiplyDown(double a, double b) => a == 0 || b == 0 ? 0 : a == 1 ? b : b == 1 ? a : Math.BitDecrement(a * b);

    /// <summary>At least a / b.</summary>
    public static double DivideUp(double a, double b) => a == 0 ? 0 : b == 1 ? a : Math.BitIncrement(a / b);

    /// <summary>At most a / b.</summary>
    public static double DivideDown(double a, double b) => a == 0 ? 0 : b == 1 ? a : Math.BitDecrement(a / b);

    /// <summary>At least the square root of a.</summary>
    public static double SqrtUp(double a) => a == 0 ? 0 : Math.BitIncrement(Math.Sqrt(a));

    /// <summary>At most the square root of a.</summary>
    public static double SqrtDown(double a) => a == 0 ? 0 : Math.BitDecrement(Math.Sqrt(a));

    /// <summary>At least a 2^n.</summary>
    public static double ScaleUp(double a, int n)
    {
        double scaled = Math.ScaleB(a, n);
        return Math.ScaleB(scaled, -n) == a ? scaled : Math.BitIncrement(scaled);
    }

    /// <summary>At most a 2^n.</summary>
    public static double ScaleDown(double a, int n)
    {
        double scaled = Math.ScaleB(a, n);
        return Math.ScaleB(scaled, -n) == a ? scaled : Math.BitDecrement(scaled);
    }

    /// <summary>At least the sum of squares.</summary>
    /// <remarks>The true sum is the plain one times at most 1 + gamma_n, in any order (Higham 2002, lemma 3.1 with both signs).</remarks>
    public static double SumOfSquaresUp(ReadOnlySpan<double> x)
    {
        double sum = System.Numerics.Tensors.TensorPrimitives.SumOfSquares(x);
        double up = MultiplyUp(sum, AddUp(1, FloatingPoint.Gamma(x.Length + 2L)));
        return AddUp(up, x.Length * double.Epsilon);
    }
}
