using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Dense;

/// <summary>Proven upper bounds of the largest singular value of matrices [rows, columns] held row by row, rounding included.</summary>
/// <remarks>
/// The claim is a single number B: <c>|W|_2 &lt;= B</c> iff <c>B^2 I - W'W</c> is positive semidefinite, which
/// <see cref="VerifiedCholesky"/> proves on the smaller side. B comes from a guess, raised until the proof passes and then lowered while
/// it still passes.
/// </remarks>
public static class SpectralNormBound
{
    // Bisect until failed and proven squares are this close, relatively; the norm is then off by half of it.
    private const double Resolution = 2e-10;
    private const int MostFactorisations = 48;

    /// <summary>|W|_2 &lt;= Bound of the result, for weights in single precision.</summary>
    /// <exception cref="ArgumentException">The length is not rows times columns, or an entry is NaN or infinite.</exception>
    public static SpectralNormProof Prove(ReadOnlySpan<float> w, int rows, int columns, bool parallel = true) =>
        Prove(ToDouble(w), rows, columns, parallel);

    /// <summary>|W|_2 &lt;= Bound of the result; positive infinity when the norm is above the largest double.</summary>
    /// <exception cref="ArgumentException">The length is not rows times columns, or an entry is NaN or infinite.</exception>
    public static SpectralNormProof Prove(ReadOnlySpan<double> w, int rows, int columns, bool parallel = true)
    {
        MatrixArgument.Throw(w, rows, columns);
        ScaledGram? scaled = ScaledGram.Create(w, rows, columns, parallel);
        return scaled is null
            ? new(0, SpectralNormMethod.Zero, 0, Math.Min(rows, columns), Math.Max(rows, columns), 0, 0, 0, 0)
            : Prove(scaled, parallel);
    }

    /// <summary>Whether one Cholesky factorisation proves |W|_2 &lt;= bound; false says nothing about W.</summary>
    /// <exception cref="ArgumentException">The length is not rows times columns, or an entry is NaN or infinite.</exception>
    public static bool Check(ReadOnlySpan<float> w, int rows, int columns, double bound, bool parallel = true) =>
        Check(ToDouble(w), rows, columns, bound, parallel);

    /// <summary>Whether one Cholesky factorisation proves |W|_2 &lt;= bound; false says nothing about W.</summary>
    /// <exception cref="ArgumentException">The length is not rows times columns, or an entry is NaN or infinite.</exception>
    public static bool Check(ReadOnlySpan<double> w, int rows, int columns, double bound, bool parallel = true)
    {
        MatrixArgument.Throw(w, rows, columns);
        ScaledGram? scaled = ScaledGram.Create(w, rows, columns, parallel);
        if (scaled is null)
        {
            return bound >= 0;
        }

        double t = Outward.ScaleDown(bound, -scaled.Exponent);
        t = Outward.SubtractDown(t, scaled.ScalingError);
        return t > 0 && double.IsFinite(t)
            && VerifiedCholesky.Proves(
                scaled.Gram, Outward.MultiplyDown(t, t), scaled.Distance, new SymmetricMatrix(scaled.Gram.Size), parallel);
    }

    /// <summary>The largest eigenvalue of the Gram matrix, bounded: the search of <see cref="Prove(ReadOnlySpan{double}, int, int, bool)"/>.</summary>
    /// <returns>A t with t^2, rounded down, proven; NaN when no attempt passed. The guess of t, and the number of factorisations.</returns>
    internal static (double T, double Guess, int Factorisations) Search(SymmetricMatrix gram, double distance, double resolution, bool parallel)
    {
        var work = new SymmetricMatrix(gram.Size);
        double guess = Math.Max(LargestEigenvalue.Estimate(gram), 0);
        double allowance = VerifiedCholesky.Allowance(gram, guess, distance);
        resolution = Math.Max(resolution, 2 * allowance / guess);
        double failed = 0, step = (0.02 * allowance) + (4e-15 * guess), square = guess + (1.01 * allowance) + step;
        double proven = double.NaN;
        int tries = 0;
        while (tries < MostFactorisations && !(proven - failed <= resolution * proven))
        {
            double t = Math.BitIncrement(Math.Sqrt(square));
            tries++;
            if (VerifiedCholesky.Proves(gram, Outward.MultiplyDown(t, t), distance, work, parallel))
            {
                proven = square;
                if (failed == 0)
                {
                    break; // the first try: within the allowance of the guess, which is below the truth
                }
            }
            else
            {
                failed = square;
            }

            step *= 8;
            square = double.IsNaN(proven) ? square + step : (proven / 2) + (failed / 2);
        }

        return (double.IsNaN(proven) ? double.NaN : Math.BitIncrement(Math.Sqrt(proven)), Math.Sqrt(guess), tries);
    }

    private static SpectralNormProof Prove(ScaledGram scaled, bool parallel)
    {
        SymmetricMatrix gram = scaled.Gram;
        (double t, double guess, int tries) = Search(gram, scaled.Distance, Resolution, parallel);
        double estimate = Math.ScaleB(guess, scaled.Exponent);
        if (double.IsNaN(t))
        {
            (double bound, int squarings) = GramIteration.Bound(scaled, parallel);
            return new(bound, SpectralNormMethod.Gram, estimate, gram.Size, scaled.Inner, scaled.Exponent, 0, squarings, tries);
        }

        double proven = Outward.ScaleUp(Outward.AddUp(t, scaled.ScalingError), scaled.Exponent);
        double allowance = VerifiedCholesky.Allowance(gram, Outward.MultiplyDown(t, t), scaled.Distance);
        return new(proven, SpectralNormMethod.Cholesky, estimate, gram.Size, scaled.Inner, scaled.Exponent, allowance, 0, tries);
    }

    private static double[] ToDouble(ReadOnlySpan<float> w)
    {
        var wide = new double[w.Length];
        System.Numerics.Tensors.TensorPrimitives.ConvertTruncating(w, wide.AsSpan());
        return wide;
    }
}
