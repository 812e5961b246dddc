using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Certificates;

/// <summary>Makes claims <c>|E D^-1|_2 &lt;= bound</c>.</summary>
internal static class WeightProof
{
    private const double LeastBound = 1e-18; // claimed of zero weights: claims must be positive

    /// <summary>A proven bound, and above it by what a second proof with other allowances for rounding needs.</summary>
    /// <param name="weight">E row by row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="divisors">The diagonal of D: products of at most <paramref name="factors"/> numbers.</param>
    /// <param name="factors">See above.</param>
    public static double Bound(double[] weight, int rows, int columns, ReadOnlySpan<double> divisors, int factors)
    {
        var scaled = new double[weight.Length];
        for (int k = 0; k < scaled.Length; k++)
        {
            scaled[k] = weight[k] / divisors[k % columns];
        }

        double norm = SpectralNormBound.Prove(scaled, rows, columns, parallel: false).Bound;
        double frobenius = Outward.SqrtUp(Outward.SumOfSquaresUp(scaled));

        // What was divided differs from E D^-1 by the rounding of the divisors and of the division.
        double relative = FloatingPoint.Gamma(2L * (factors + 2));
        double bound = Math.Max(LeastBound, Outward.AddUp(norm, Outward.MultiplyUp(relative, frobenius)));

        // The second proof's allowances are about n^2 u B^2 and m u |N|_F^2, and again the one of the division.
        long n = Math.Min(rows, columns) + 2, m = Math.Max(rows, columns) + 2;
        double ratio = frobenius / bound;
        double headroom = FloatingPoint.UnitRoundoff * ((2 * n * n) + (2 * m * ratio * ratio) + (8 * (factors + 4) * ratio));
        return Outward.MultiplyUp(bound, 1 + headroom + 1e-14);
    }
}
