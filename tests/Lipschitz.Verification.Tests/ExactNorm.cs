using System.Numerics;
using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Verification.Tests;

/// <summary>Oracles that share nothing with the provers: integers and double-double numbers.</summary>
internal static class ExactNorm
{
    /// <summary>Whether |W|_2 &lt; bound, decided in integers: all pivots of fraction-free elimination of bound^2 I - W'W are positive.</summary>
    public static bool IsBelow(double[] w, int rows, int columns, double bound)
    {
        int lowest = w.Append(bound).Where(x => x != 0).Select(x => Math.Max(Math.ILogB(x), -1022) - 52).Min();
        BigInteger[] a = [.. w.Select(x => Integer(x, lowest))];
        BigInteger b = Integer(bound, lowest);
        bool tall = rows >= columns;
        int n = Math.Min(rows, columns), m = Math.Max(rows, columns);
        BigInteger Entry(int i, int k) => tall ? a[(k * columns) + i] : a[(i * columns) + k];
        var matrix = new BigInteger[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                BigInteger sum = i == j ? b * b : 0;
                for (int k = 0; k < m; k++)
                {
                    sum -= Entry(i, k) * Entry(j, k);
                }

                matrix[i, j] = sum;
            }
        }

        BigInteger previous = 1;
        for (int k = 0; k < n; k++)
        {
            if (matrix[k, k].Sign <= 0)
            {
                return false;
            }

            for (int i = k + 1; i < n; i++)
            {
                for (int j = k + 1; j < n; j++)
                {
                    matrix[i, j] = ((matrix[i, j] * matrix[k, k]) - (matrix[i, k] * matrix[k, j])) / previous;
                }
            }

            previous = matrix[k, k];
        }

        return true;
    }

    /// <summary>
    /// A Rayleigh quotient |W v|/|v| in double-double arithmetic, v an eigenvector by Math.NET: from below, with an error of the order of
    /// the square of v's.
    /// </summary>
    public static double RayleighFromBelow(double[] w, int rows, int columns)
    {
        double largest = w.Max(Math.Abs);
        int exponent = Math.ILogB(largest);
        double[] a = [.. w.Select(x => Math.ScaleB(x, -exponent))];
        var matrix = Matrix<double>.Build.DenseOfRowMajor(rows, columns, a);
        var gram = rows >= columns ? matrix.TransposeThisAndMultiply(matrix) : matrix.TransposeAndMultiply(matrix);
        var evd = gram.Evd(Symmetricity.Symmetric);
        double[] v = evd.EigenVectors.Column(evd.EigenValues.Real().MaximumIndex()).ToArray();
        v = rows >= columns ? v : matrix.TransposeThisAndMultiply(MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(v)).ToArray();
        DoubleDouble above = default, below = default;
        for (int i = 0; i < rows; i++)
        {
            DoubleDouble sum = default;
            for (int j = 0; j < columns; j++)
            {
                sum += DoubleDouble.Product(a[(i * columns) + j], v[j]);
            }

            above += sum * sum;
        }

        foreach (double x in v)
        {
            below += DoubleDouble.Product(x, x);
        }

        return Math.ScaleB(Math.Sqrt(above.High / below.High * (1 + ((above.Low / above.High) - (below.Low / below.High)))), exponent);
    }

    private static BigInteger Integer(double x, int lowest)
    {
        if (x == 0)
        {
            return 0;
        }

        int exponent = Math.Max(Math.ILogB(x), -1022) - 52;
        return new BigInteger(Math.ScaleB(x, -exponent)) << (exponent - lowest);
    }
}

/// <summary>High + Low with about 106 bits (Dekker 1971, Knuth 1969).</summary>
internal readonly record struct DoubleDouble(double High, double Low)
{
    public static DoubleDouble Product(double a, double b)
    {
        double p = a * b;
        return new(p, Math.FusedMultiplyAdd(a, b, -p));
    }

    public static DoubleDouble operator +(DoubleDouble a, DoubleDouble b)
    {
        double s = a.High + b.High, t = s - a.High;
        double low = (a.High - (s - t)) + (b.High - t) + a.Low + b.Low;
        double high = s + low;
        return new(high, low - (high - s));
    }

    public static DoubleDouble operator *(DoubleDouble a, DoubleDouble b)
    {
        DoubleDouble p = Product(a.High, b.High);
        double low = p.Low + (a.High * b.Low) + (a.Low * b.High), high = p.High + low;
        return new(high, low - (high - p.High));
    }
}
