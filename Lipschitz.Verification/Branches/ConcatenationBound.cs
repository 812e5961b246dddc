using Lipschitz.Verification.Dense;

namespace Lipschitz.Verification.Branches;

/// <summary><c>Lip([f_1; f_2; ..]) &lt;= |(K_1, K_2, ..)|_p</c> in the p-norm on both sides, rounded up; attained for every p.</summary>
/// <remarks>
/// |f(x) - f(y)|_p^p = sum |f_i(x) - f_i(y)|_p^p &lt;= sum K_i^p |x - y|_p^p; equality for scalar multiples of one direction
/// (Perugachi-Diaz et al. 2020, appendix A).
/// </remarks>
public static class ConcatenationBound
{
    /// <summary>The bound for parts with the given constants.</summary>
    public static double Prove(double p, params ReadOnlySpan<double> constants)
    {
        foreach (double constant in constants)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(constant);
        }

        return VectorNorm.Up(constants, p);
    }
}
