using System.Numerics;
using System.Runtime.InteropServices;

namespace Lipschitz.Checker;

/// <summary>Proofs by one floating-point Cholesky factorisation that runs to its end.</summary>
/// <remarks>
/// <para>
/// If Cholesky of a symmetric matrix A of doubles ends with positive pivots, then R'R = A + E with |E| &lt;= gamma_{n+1} |R'||R| for any
/// order of summation (Higham 2002, theorem 10.3), so |E|_2 &lt;= gamma_{n+1} |R|_F^2 and |R|_F^2 = tr A + tr E &lt;= tr A / (1 - gamma_{n+1}):
/// A + c I is positive semidefinite for c = gamma_{n+1} / (1 - gamma_{n+1}) tr A. Underflow adds at most
/// n 3 (2n + max A_ii) 2^-1074 (Rump, BIT 46, 2006).
/// </para>
/// <para>A Gram matrix G of inner length m is computed with an error of at most gamma_m |N|_F^2 + n m 2^-1074 in the 2-norm.</para>
/// </remarks>
internal static class VerifiedCholesky
{
    private const int Largest = 30_000; // whose square fits an index

    /// <summary>
    /// Whether |N|_2 &lt;= bound is proven for every matrix N [rows, columns] whose entries differ from those of
    /// <paramref name="matrix"/> by at most the given relative error.
    /// </summary>
    public static bool ProvesNorm(double[] matrix, int rows, int columns, double relativeError, double bound)
    {
        int n = Math.Min(rows, columns), m = Math.Max(rows, columns);
        if (n > Largest)
        {
            return false;
        }

        double[] wide = rows <= columns
            ? matrix
            : [.. Enumerable.Range(0, matrix.Length).Select(k => matrix[(k % rows * columns) + (k / rows)])]; // the transpose
        double[] gram = Gram(wide, n, m);

        // The computed trace is at least (1 - gamma_m) |N|_F^2 but for underflow.
        double squares = Outward.MultiplyUp(Trace(gram, n), 1 + (2 * Outward.Gamma(m + 2L)));
        squares = Outward.AddUp(squares, Tiny(n, m));
        double t = Outward.SubtractDown(bound, Outward.MultiplyUp(relativeError, Outward.SqrtUp(squares)));
        if (!(t > 0) || !double.IsFinite(squares))
        {
            return false;
        }

        double allowance = Outward.AddUp(Outward.MultiplyUp(Outward.Gamma(m), squares), Tiny(n, m));
        double square = Outward.MultiplyDown(t, t);
        for (int k = 0; k < gram.Length; k++)
        {
            gram[k] = k % (n + 1) == 0 ? Outward.SubtractDown(square, gram[k]) : -gram[k];
        }

        return ProvesPositive(gram, n, allowance);
    }

    /// <summary>Whether A - error I is proven positive semidefinite; the lower triangle of A is read, and A is overwritten.</summary>
    public static bool ProvesPositive(double[] a, int n, double error)
    {
        double trace = Trace(a, n), gamma = Outward.Gamma(n + 1L);
        double factor = Outward.DivideUp(gamma, Outward.SubtractDown(1, gamma));
        double allowance = Outward.AddUp(Outward.MultiplyUp(factor, trace), error);
        allowance = Outward.AddUp(allowance, Tiny(8 * n, n + 1 + trace));
        for (int i = 0; i < n; i++)
        {
            a[(i * n) + i] = Outward.SubtractDown(a[(i * n) + i], allowance);
        }

        return RunsToItsEnd(a, n);
    }

    // The Gram matrix of the rows.
    private static double[] Gram(double[] wide, int n, int m)
    {
        var gram = new double[(long)n * n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                gram[(i * n) + j] = gram[(j * n) + i] = Dot(wide.AsSpan(i * m, m), wide.AsSpan(j * m, m));
            }
        }

        return gram;
    }

    // At least the sum, and so the largest, of the positive entries of the diagonal.
    private static double Trace(double[] a, int n) =>
        Enumerable.Range(0, n).Aggregate(0.0, (sum, i) => Outward.AddUp(sum, Math.Max(0, a[(i * n) + i])));

    // At least a b 2^-1074.
    private static double Tiny(double a, double b) => Math.BitIncrement(Outward.MultiplyUp(a, b) * double.Epsilon);

    private static bool RunsToItsEnd(double[] a, int n)
    {
        for (int i = 0; i < n; i++)
        {
            Span<double> row = a.AsSpan(i * n, n);
            for (int j = 0; j < i; j++)
            {
                ReadOnlySpan<double> other = a.AsSpan(j * n, n);
                row[j] = (row[j] - Dot(row[..j], other[..j])) / other[j];
            }

            double pivot = row[i] - Dot(row[..i], row[..i]);
            if (!(pivot > 0) || !double.IsFinite(pivot))
            {
                return false;
            }

            row[i] = Math.Sqrt(pivot);
        }

        return true;
    }

    private static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        ReadOnlySpan<Vector<double>> a = MemoryMarshal.Cast<double, Vector<double>>(x), b = MemoryMarshal.Cast<double, Vector<double>>(y);
        Vector<double> first = default, second = default;
        int i = 0;
        for (; i + 1 < a.Length; i += 2)
        {
            first += a[i] * b[i];
            second += a[i + 1] * b[i + 1];
        }

        double sum = Vector.Sum(first + second);
        for (i *= Vector<double>.Count; i < x.Length; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }
}
