using Lipschitz.Tensors;
using Lipschitz.Verification.Convolutions;
using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Certificates;

/// <summary>Makes claims <c>|E D^-1|_2 &lt;= bound</c>.</summary>
internal static class WeightProof
{
    // The checker's cosines are good to 2^-40: with all taps, this times the Frobenius norm.
    private const double SecondSymbol = 4.0 / (1L << 40);
    private const double LeastBound = 1e-18; // claimed of zero weights: claims must be positive

    /// <summary>
    /// A proven bound of <c>|E D^-1|_2</c>, or of the zero-padded convolution with that weight and then the grid that proves it; above the
    /// norm by what a second proof with other allowances for rounding needs.
    /// </summary>
    /// <param name="weight">E [outputs taps, columns] row by row.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="picture">What a convolution acts on.</param>
    /// <param name="divisors">The diagonal of D: products of at most <paramref name="factors"/> numbers.</param>
    /// <param name="factors">See above.</param>
    public static (double Bound, FrequencyGrid? Grid) Bound(
        double[] weight, LayerLayout layer, ImageShape? picture, ReadOnlySpan<double> divisors, int factors)
    {
        var scaled = new double[weight.Length];
        for (int k = 0; k < scaled.Length; k++)
        {
            scaled[k] = weight[k] / divisors[k % layer.Columns];
        }

        int n = Math.Min(layer.Outputs, layer.Columns), m = Math.Max(layer.Outputs, layer.Columns);
        double frobenius = Outward.SqrtUp(Outward.SumOfSquaresUp(scaled));
        if (layer.Kernel == 1)
        {
            double norm = SpectralNormBound.Prove(scaled, layer.Outputs, layer.Columns, parallel: false).Bound;
            return (Claim(norm, frobenius, n, m, factors, 0), null);
        }

        ImageShape shape = picture!.Value;
        var kernel = new ConvolutionKernel(scaled, layer.Outputs, layer.Kernel, layer.Kernel, layer.Columns);
        ConvolutionProof proof = ConvolutionNormBound.Prove(kernel, shape.Height, shape.Width, largestExplicit: 0);

        // The symbol sums over the taps: its Frobenius norm is at most the root of their number times that of the weight. As a real
        // matrix it has twice as many rows and columns, and twice the square of that norm.
        double symbol = Outward.MultiplyUp(1.5 * layer.Kernel, frobenius);
        var smallest = new FrequencyGrid(shape.Height + (layer.Kernel / 2), shape.Width + (layer.Kernel / 2), 0, 0);
        return (Claim(proof.Bound, symbol, 2 * n, 2 * m, factors, SecondSymbol), proof.Grid ?? smallest);
    }

    private static double Claim(double norm, double frobenius, long n, long m, int factors, double second)
    {
        // What was divided differs from E D^-1 by the rounding of the divisors and of the division.
        double relative = FloatingPoint.Gamma(2L * (factors + 2));
        double bound = Math.Max(LeastBound, Outward.AddUp(norm, Outward.MultiplyUp(relative, frobenius)));

        // The second proof's allowances are about n^2 u B^2 and m u |N|_F^2, again the one of the division, and that of its symbols.
        (n, m) = (n + 2, m + 2);
        double ratio = frobenius / bound;
        double headroom = FloatingPoint.UnitRoundoff * ((2 * n * n) + (2 * m * ratio * ratio) + (8 * (factors + 4) * ratio));
        return Outward.MultiplyUp(bound, 1 + headroom + (second * ratio) + 1e-14);
    }
}
