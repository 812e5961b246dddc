using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Dense;

/// <summary>Proven upper bounds of <c>|W|_{p-&gt;q}</c>; matrices [rows, columns] row by row, sums rounded up.</summary>
/// <remarks>
/// Closed forms: 1 to q, the largest q-norm of a column; p to infinity, the largest dual norm of a row; 2 to 2 by
/// <see cref="SpectralNormBound"/>. p to p otherwise: Riesz-Thorin, <c>|W|_p &lt;= |W|_a^(1-t) |W|_b^t</c> with 1/p = (1-t)/a + t/b
/// between the nearest two of 1, 2 and infinity. Everything else is NP-hard (Steinberg 2005) and refused.
/// </remarks>
public static class InducedNormBound
{
    /// <summary>At least |W|_{p-&gt;q}.</summary>
    /// <exception cref="NotSupportedException">No bound is known for the pair.</exception>
    public static double Prove(ReadOnlySpan<double> w, int rows, int columns, double p, double q)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(q, 1);
        MatrixArgument.Throw(w, rows, columns);
        if (p == 1)
        {
            return Columns(w, rows, columns, q);
        }

        if (double.IsPositiveInfinity(q))
        {
            double best = 0;
            for (int i = 0; i < rows; i++)
            {
                best = Math.Max(best, VectorNorm.DualUp(w.Slice(i * columns, columns), p));
            }

            return best;
        }

        if (p != q)
        {
            throw new NotSupportedException($"The induced norm from p = {p} to q = {q} has no closed form: not certified.");
        }

        double two = SpectralNormBound.Prove(w, rows, columns).Bound;
        if (p == 2)
        {
            return two;
        }

        double end = p < 2 ? 1 : double.PositiveInfinity;
        return Interpolate(p, two, Prove(w, rows, columns, end, end));
    }

    /// <summary>Riesz-Thorin: at least |T|_p from bounds at 2 and at the end that p is on the side of, 1 or infinity.</summary>
    internal static double Interpolate(double p, double two, double atEnd)
    {
        if (two == 0 || atEnd == 0)
        {
            return 0;
        }

        // 1/p = (1 - t)/end + t/2: t = 2 - 2/p towards 1, t = 2/p towards infinity.
        Interval t = p < 2 ? 2 - (2 / (Interval)p) : 2 / (Interval)p;
        Interval log = (t * IntervalFunctions.Log(two)) + ((1 - t) * IntervalFunctions.Log(atEnd));
        return IntervalFunctions.Exp(log).Upper;
    }

    private static double Columns(ReadOnlySpan<double> w, int rows, int columns, double q)
    {
        double best = 0;
        var column = new double[rows];
        for (int j = 0; j < columns; j++)
        {
            for (int i = 0; i < rows; i++)
            {
                column[i] = w[(i * columns) + j];
            }

            best = Math.Max(best, VectorNorm.Up(column, q));
        }

        return best;
    }
}
