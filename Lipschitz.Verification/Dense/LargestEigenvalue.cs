using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Verification.Dense;

/// <summary>Unproven first guesses of the largest eigenvalue of a positive semidefinite matrix.</summary>
internal static class LargestEigenvalue
{
    private const int SmallSize = 40;
    private const int MostSteps = 400;

    /// <summary>About the largest eigenvalue, from below; nothing is promised.</summary>
    public static double Estimate(SymmetricMatrix matrix) =>
        matrix.Size == 1 ? matrix[0, 0] : matrix.Size <= SmallSize ? Dense(matrix) : Lanczos(matrix);

    private static double Dense(SymmetricMatrix matrix)
    {
        Matrix<double> full = Matrix<double>.Build.Dense(matrix.Size, matrix.Size, (i, j) => matrix[Math.Max(i, j), Math.Min(i, j)]);
        try
        {
            double largest = full.Evd(Symmetricity.Symmetric).EigenValues.Real().Maximum();
            return double.IsFinite(largest) && largest > 0 ? largest : Lanczos(matrix);
        }
        catch (ArithmeticException)
        {
            return Lanczos(matrix);
        }
    }

    // Lanczos with full reorthogonalisation; the largest Ritz value by bisection of the tridiagonal matrix.
    private static double Lanczos(SymmetricMatrix matrix)
    {
        int n = matrix.Size;
        var basis = new List<double[]>();
        var diagonal = new List<double>();
        var off = new List<double>();
        var random = new Random(1);
        double[] q = new double[n];
        for (int i = 0; i < n; i++)
        {
            q[i] = random.NextDouble() - 0.5;
        }

        Scale(q, 1 / TensorPrimitives.Norm<double>(q));
        double previous = 0;
        for (int step = 0; step < Math.Min(n, MostSteps); step++)
        {
            basis.Add(q);
            var next = new double[n];
            Multiply(matrix, q, next);
            diagonal.Add(TensorPrimitives.Dot<double>(q, next));
            for (int pass = 0; pass < 2; pass++)
            {
                foreach (double[] b in basis)
                {
                    TensorPrimitives.MultiplyAdd(b, -TensorPrimitives.Dot<double>(b, next), next, next);
                }
            }

            double norm = TensorPrimitives.Norm<double>(next);
            if (step % 5 == 4 || step == n - 1 || !(norm > 0))
            {
                double ritz = LargestOfTridiagonal(diagonal, off);
                if (!(norm > 1e-15 * ritz) || Math.Abs(ritz - previous) <= 1e-14 * ritz)
                {
                    return ritz;
                }

                previous = ritz;
            }

            off.Add(norm);
            Scale(next, 1 / norm);
            q = next;
        }

        return LargestOfTridiagonal(diagonal, off);
    }

    private static void Multiply(SymmetricMatrix matrix, double[] x, double[] y)
    {
        for (int i = 0; i < matrix.Size; i++)
        {
            ReadOnlySpan<double> row = matrix.Row(i)[..i];
            y[i] += TensorPrimitives.Dot(row, x.AsSpan(0, i)) + (matrix[i, i] * x[i]);
            Span<double> before = y.AsSpan(0, i);
            TensorPrimitives.MultiplyAdd(row, x[i], before, before);
        }
    }

    private static void Scale(Span<double> x, double factor) => TensorPrimitives.Multiply(x, factor, x);

    private static double LargestOfTridiagonal(List<double> diagonal, List<double> off)
    {
        double high = 0, low = 0;
        for (int i = 0; i < diagonal.Count; i++)
        {
            high = Math.Max(high, diagonal[i] + (i > 0 ? off[i - 1] : 0) + (i < off.Count ? off[i] : 0));
            low = Math.Max(low, diagonal[i]);
        }

        for (int k = 0; k < 80 && low < high; k++)
        {
            double middle = (low + high) / 2;
            bool above = true; // whether middle I - T is positive definite
            double pivot = 1;
            for (int i = 0; i < diagonal.Count && above; i++)
            {
                pivot = middle - diagonal[i] - (i == 0 ? 0 : off[i - 1] * off[i - 1] / pivot);
                above = pivot > 0;
            }

            (low, high) = above ? (low, middle) : (middle, high);
        }

        return high;
    }
}
