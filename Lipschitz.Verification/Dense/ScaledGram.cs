using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Dense;

/// <summary>A matrix scaled by a power of two, the smaller side first, and its Gram matrix with the error of its computation.</summary>
internal sealed class ScaledGram
{
    private ScaledGram(SymmetricMatrix gram, int inner, int exponent, double frobeniusSquared, double distance, double scalingError, double[] rows, int stride) =>
        (Gram, Inner, Exponent, FrobeniusSquared, Distance, ScalingError, Rows, RowStride) =
        (gram, inner, exponent, frobeniusSquared, distance, scalingError, rows, stride);

    /// <summary>fl(A A') where A is 2^-Exponent W or its transpose, whichever has fewer rows.</summary>
    public SymmetricMatrix Gram { get; }

    /// <summary>The columns of A.</summary>
    public int Inner { get; }

    /// <summary>The power of two taken out, so that the largest entry of A is in [1/2, 1).</summary>
    public int Exponent { get; }

    /// <summary>At least |A|_F^2.</summary>
    public double FrobeniusSquared { get; }

    /// <summary>At least |fl(A A') - A A'|_2: <c>gamma_m |A|_F^2</c> and underflow.</summary>
    public double Distance { get; }

    /// <summary>At least |A - 2^-Exponent W|_2: not 0 only when entries became subnormal.</summary>
    public double ScalingError { get; }

    /// <summary>A, row by row.</summary>
    public double[] Rows { get; }

    /// <summary>Doubles between two rows of A.</summary>
    public int RowStride { get; }

    /// <summary>Makes it; null for a matrix of zeros.</summary>
    public static ScaledGram? Create(ReadOnlySpan<double> w, int rows, int columns, bool parallel)
    {
        double largest = 0;
        foreach (double x in w)
        {
            largest = Math.Max(largest, Math.Abs(x));
        }

        if (largest == 0)
        {
            return null;
        }

        int exponent = Math.ILogB(largest) + 1;
        bool transpose = columns < rows, exact = true;
        int n = Math.Min(rows, columns), m = Math.Max(rows, columns), stride = RowProducts.Stride(m);
        var a = new double[(long)n * stride];
        bool scale = exponent < -400 || exponent > 400;
        double factor = scale ? 0 : Math.ScaleB(1, -exponent);
        double sum = 0;
        for (int i = 0; i < n; i++)
        {
            Span<double> row = a.AsSpan(i * stride, m);
            for (int k = 0; k < m; k++)
            {
                double x = transpose ? w[(k * columns) + i] : w[(i * columns) + k];
                double y = scale ? Math.ScaleB(x, -exponent) : x * factor;
                row[k] = y;
                exact &= Math.Abs(y) >= 2.2250738585072014E-308 || (scale ? Math.ScaleB(y, exponent) : y / factor) == x;
            }

            sum = Outward.AddUp(sum, Outward.SumOfSquaresUp(row));
        }

        var gram = new SymmetricMatrix(n);
        gram.AddProduct(a, a, stride, m, 1, parallel);
        double distance = Outward.AddUp(Outward.MultiplyUp(FloatingPoint.Gamma(m), sum), FloatingPoint.UnderflowAllowance);
        return new(gram, m, exponent, sum, distance, exact ? 0 : FloatingPoint.UnderflowAllowance, a, stride);
    }
}
