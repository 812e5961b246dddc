namespace Lipschitz.Layers;

/// <summary>
/// Norms <c>|W|_{p-&gt;q} = max |W x|_q / |x|_p</c> of matrices [rows, columns] held row by row.
/// </summary>
/// <remarks>
/// Closed forms: 1 to q, the largest q-norm of a column; p to infinity, the largest dual norm of a row. 2 to 2 is the largest singular
/// value. The rest (2 to 1, infinity to 1, infinity to 2) are NP-hard in general (Steinberg 2005) and refused.
/// </remarks>
public static class InducedNorm
{
    private const int GramSquarings = 12;

    /// <summary>Whether the pair of norms has a closed form.</summary>
    public static bool HasClosedForm(double p, double q) => p >= 1 && q >= 1 && (p == 1 || double.IsPositiveInfinity(q));

    /// <summary>Throws unless <see cref="HasClosedForm"/>.</summary>
    /// <exception cref="NotSupportedException">The pair has no closed form.</exception>
    public static void ThrowUnlessClosedForm(double p, double q)
    {
        if (!HasClosedForm(p, q))
        {
            throw new NotSupportedException(
                $"The induced norm from p = {p} to q = {q} has no closed form; use p = 1, or q = infinity, or p = q = 2.");
        }
    }

    /// <summary>The norm, where it has a closed form, and a dual pair with <c>u'W v = |W|</c>, |v|_p = 1, |u|_{q*} = 1.</summary>
    /// <exception cref="NotSupportedException">The pair has no closed form.</exception>
    public static double Exact(ReadOnlySpan<double> w, int rows, int columns, double p, double q, Span<double> u, Span<double> v)
    {
        ThrowUnlessClosedForm(p, q);
        u.Clear();
        v.Clear();
        double best = -1;
        if (p == 1)
        {
            var column = new double[rows];
            for (int j = 0; j < columns; j++)
            {
                for (int i = 0; i < rows; i++)
                {
                    column[i] = w[(i * columns) + j];
                }

                double norm = VectorNorm(column, q);
                if (norm > best)
                {
                    best = norm;
                    DualVector(column, q, norm, u);
                    v.Clear();
                    v[j] = 1;
                }
            }
        }
        else
        {
            double dual = Dual(p);
            for (int i = 0; i < rows; i++)
            {
                ReadOnlySpan<double> row = w.Slice(i * columns, columns);
                double norm = VectorNorm(row, dual);
                if (norm > best)
                {
                    best = norm;
                    DualVector(row, dual, norm, v);
                    u.Clear();
                    u[i] = 1;
                }
            }
        }

        return Math.Max(best, 0);
    }

    /// <summary>An upper bound of <c>|W|_{p-&gt;p}</c>: exact sums at p = 1 and infinity, Gram iteration at 2, Riesz-Thorin between.</summary>
    /// <remarks>
    /// Riesz-Thorin: <c>|W|_p &lt;= |W|_a^(1-t) |W|_b^t</c> for 1/p = (1-t)/a + t/b. Computed in double without directed rounding.
    /// </remarks>
    public static double Bound(ReadOnlySpan<double> w, int rows, int columns, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        var u = new double[rows];
        var v = new double[columns];
        if (p == 1 || double.IsPositiveInfinity(p))
        {
            return Exact(w, rows, columns, p, p, u, v);
        }

        double two = SpectralBound(w, rows, columns);
        if (p == 2)
        {
            return two;
        }

        double end = p < 2 ? 1 : double.PositiveInfinity;
        double atEnd = Exact(w, rows, columns, end, end, u, v);
        double atTwo = p < 2 ? 2 - (2 / p) : 2 / p; // the weight t of the 2-norm
        return Math.Pow(two, atTwo) * Math.Pow(atEnd, 1 - atTwo);
    }

    /// <summary>
    /// An upper bound of the largest singular value by Gram iteration (Delattre et al. 2023):
    /// <c>|W|_2 &lt;= |(W'W)^(2^k)|_F^(1/2^(k+1))</c>; above the truth by a factor of at most rank^(1/2^(k+2)).
    /// </summary>
    public static double SpectralBound(ReadOnlySpan<double> w, int rows, int columns)
    {
        int n = Math.Min(rows, columns);
        var gram = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            for (int j = i; j < n; j++)
            {
                double sum = 0;
                if (rows >= columns)
                {
                    for (int k = 0; k < rows; k++)
                    {
                        sum += w[(k * columns) + i] * w[(k * columns) + j];
                    }
                }
                else
                {
                    for (int k = 0; k < columns; k++)
                    {
                        sum += w[(i * columns) + k] * w[(j * columns) + k];
                    }
                }

                gram[(i * n) + j] = gram[(j * n) + i] = sum;
            }
        }

        // log |W| <= log(scale of G) / 2^(k+1) summed, scaling by the Frobenius norm so that powers stay in range.
        double logNorm = 0;
        double weight = 0.5;
        var next = new double[n * n];
        for (int k = 0; ; k++)
        {
            double frobenius = 0;
            foreach (double g in gram)
            {
                frobenius += g * g;
            }

            frobenius = Math.Sqrt(frobenius);
            if (frobenius == 0)
            {
                return 0;
            }

            logNorm += weight * Math.Log(frobenius);
            if (k == GramSquarings)
            {
                return Math.Exp(logNorm);
            }

            for (int i = 0; i < gram.Length; i++)
            {
                gram[i] /= frobenius;
            }

            Square(gram, next, n);
            (gram, next) = (next, gram);
            weight /= 2;
        }
    }

    private static void Square(double[] symmetric, double[] square, int n)
    {
        Array.Clear(square);
        for (int i = 0; i < n; i++)
        {
            Span<double> target = square.AsSpan(i * n, n);
            for (int k = 0; k < n; k++)
            {
                double factor = symmetric[(i * n) + k];
                if (factor != 0)
                {
                    System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(symmetric.AsSpan(k * n, n), factor, target, target);
                }
            }
        }
    }

    private static double Dual(double p) => p == 1 ? double.PositiveInfinity : double.IsPositiveInfinity(p) ? 1 : p / (p - 1);

    private static double VectorNorm(ReadOnlySpan<double> x, double p)
    {
        double largest = 0;
        foreach (double value in x)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        if (double.IsPositiveInfinity(p) || largest == 0)
        {
            return largest;
        }

        double sum = 0;
        foreach (double value in x)
        {
            sum += Math.Pow(Math.Abs(value) / largest, p);
        }

        return largest * Math.Pow(sum, 1 / p);
    }

    // d with <d, x> = |x|_p and dual norm 1.
    private static void DualVector(ReadOnlySpan<double> x, double p, double norm, Span<double> dual)
    {
        dual.Clear();
        if (norm == 0)
        {
            return;
        }

        if (double.IsPositiveInfinity(p))
        {
            int at = 0;
            for (int i = 1; i < x.Length; i++)
            {
                at = Math.Abs(x[i]) > Math.Abs(x[at]) ? i : at;
            }

            dual[at] = Math.Sign(x[at]);
            return;
        }

        for (int i = 0; i < x.Length; i++)
        {
            dual[i] = Math.Sign(x[i]) * Math.Pow(Math.Abs(x[i]) / norm, p - 1);
        }
    }
}
