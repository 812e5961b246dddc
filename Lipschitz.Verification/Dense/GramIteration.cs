using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Dense;

/// <summary>
/// <c>|W|_2 &lt;= |(W'W)^(2^k)|_F^(1/2^(k+1))</c> with rounding errors carried along: never fails, too high by at most
/// rank^(1/2^(k+2)) (Delattre et al. 2023).
/// </summary>
/// <remarks>
/// Forward: G_0 = A, G_1 = 2^-e_0 fl(A A'), G_(k+1) = 2^-e_k fl(G_k G_k), and f_k &gt;= |G_k|_F. Backward: |G_k|^2 = |G_k G_k'| is at most
/// |fl(G_k G_k')| + gamma_m f_k^2, so s_K = f_K and <c>s_k = sqrt(2^(e_k) (s_(k+1) + underflow) + gamma_m f_k^2)</c>, rounded up.
/// </remarks>
public static class GramIteration
{
    private const int MostSquarings = 14;

    /// <summary>A bound of |W|_2 by k squarings after the first product; w [rows, columns].</summary>
    /// <exception cref="ArgumentException">The length is not rows times columns, or an entry is NaN or infinite.</exception>
    public static double Bound(ReadOnlySpan<double> w, int rows, int columns, int squarings = 10)
    {
        MatrixArgument.Throw(w, rows, columns);
        ScaledGram? scaled = ScaledGram.Create(w, rows, columns, true);
        return scaled is null ? 0 : Bound(scaled, true, squarings).Bound;
    }

    internal static (double Bound, int Squarings) Bound(ScaledGram scaled, bool parallel, int squarings = MostSquarings)
    {
        FloatingPoint.ThrowUnlessIeee();
        int n = scaled.Gram.Size;
        var errors = new List<double> { scaled.Distance };
        var exponents = new List<int>();
        double[] current = new double[(long)n * scaled.Gram.Stride];
        SymmetricMatrix product = scaled.Gram;
        double frobenius;
        for (int k = 0; ; k++)
        {
            exponents.Add(Normalise(product, current));
            double square = 0;
            for (int i = 0; i < n; i++)
            {
                square = Outward.AddUp(square, Outward.SumOfSquaresUp(current.AsSpan(i * product.Stride, n)));
            }

            frobenius = Outward.SqrtUp(square);
            if (k == squarings)
            {
                break;
            }

            errors.Add(Outward.AddUp(Outward.MultiplyUp(FloatingPoint.Gamma(n), square), FloatingPoint.UnderflowAllowance));
            product = new SymmetricMatrix(n);
            product.AddProduct(current, current, product.Stride, n, 1, parallel);
        }

        double s = frobenius;
        for (int k = exponents.Count - 1; k >= 0; k--)
        {
            s = Outward.ScaleUp(Outward.AddUp(s, FloatingPoint.UnderflowAllowance), exponents[k]);
            s = Outward.SqrtUp(Outward.AddUp(s, errors[k]));
        }

        return (Outward.ScaleUp(Outward.AddUp(s, scaled.ScalingError), scaled.Exponent), squarings);
    }

    // full <- 2^-e times the symmetric matrix, both triangles; e is returned.
    private static int Normalise(SymmetricMatrix lower, double[] full)
    {
        double largest = 0;
        for (int i = 0; i < lower.Size; i++)
        {
            largest = Math.Max(largest, lower[i, i]); // the largest entry of a positive semidefinite matrix is on its diagonal
        }

        int exponent = Math.Clamp(Math.ILogB(largest) + 1, -900, 900);
        double factor = Math.ScaleB(1, -exponent);
        for (int i = 0; i < lower.Size; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                full[(i * lower.Stride) + j] = full[(j * lower.Stride) + i] = lower[i, j] * factor;
            }
        }

        return exponent;
    }
}
