namespace Lipschitz.Cpu.Kernels;

/// <summary>Functions of the few learned scalars, in double.</summary>
internal static class ScalarMath
{
    /// <summary>1/(1 + exp(-x)), to full relative precision for large negative x too.</summary>
    public static double Sigmoid(double x)
    {
        double e = Math.Exp(-Math.Abs(x));
        return x >= 0 ? 1 / (1 + e) : e / (1 + e);
    }

    /// <summary>log(1 + exp(x)); the logarithm of 1 + e with Kahan's correction for small e.</summary>
    public static double Softplus(double x)
    {
        double e = Math.Exp(-Math.Abs(x));
        double w = 1 + e;
        return Math.Max(x, 0) + (w == 1 ? e : Math.Log(w) * e / (w - 1));
    }
}
