using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>One d x d matrix a sample, d being 2 or little more: plain loops in double.</summary>
internal static unsafe class SmallJacobians<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Block 0 the probe, blocks 1.. the unit vectors except along its largest component (the first of several).</summary>
    public static void CompleteBasis(View<T> probe, View<T> tangents)
    {
        int samples = probe.Rows, d = probe.Columns;
        for (int i = 0; i < samples; i++)
        {
            T* from = probe.Row(i), to = tangents.Row(i);
            int largest = 0;
            for (int j = 0; j < d; j++)
            {
                to[j] = from[j];
                largest = T.Abs(from[j]) > T.Abs(from[largest]) ? j : largest;
            }

            for (int block = 1; block < d; block++)
            {
                T* unit = tangents.Row((block * samples) + i);
                new Span<T>(unit, d).Clear();
                unit[block <= largest ? block - 1 : block] = T.One;
            }
        }
    }

    /// <summary>J of each sample from t_k' J' = image_k'.</summary>
    public static void Solve(View<T> tangents, View<T> images, View<T> jacobians)
    {
        int samples = jacobians.Rows, d = tangents.Columns;
        double* a = Scratch<double>.Rent(ScratchSlot.Left, 2 * d * d);
        double* b = a + (d * d);
        for (int i = 0; i < samples; i++)
        {
            for (int k = 0; k < d; k++)
            {
                T* t = tangents.Row((k * samples) + i), image = images.Row((k * samples) + i);
                for (int j = 0; j < d; j++)
                {
                    a[(k * d) + j] = double.CreateTruncating(t[j]);
                    b[(k * d) + j] = double.CreateTruncating(image[j]);
                }
            }

            Solve(d, a, b, out _);
            T* to = jacobians.Row(i);
            for (int k = 0; k < d; k++)
            {
                for (int j = 0; j < d; j++)
                {
                    to[(k * d) + j] = T.CreateTruncating(b[(j * d) + k]);
                }
            }
        }
    }

    /// <summary>logDet_i &lt;- log det(I + J_i); cotangents, block k row i &lt;- row k of (I + J_i)^-1.</summary>
    public static void ExactLogDet(View<T> jacobians, View<T> logDet, View<T> cotangents)
    {
        int samples = jacobians.Rows, d = cotangents.Columns;
        double* a = Scratch<double>.Rent(ScratchSlot.Left, 2 * d * d);
        double* inverse = a + (d * d);
        for (int i = 0; i < samples; i++)
        {
            T* from = jacobians.Row(i);
            for (int k = 0; k < d; k++)
            {
                for (int j = 0; j < d; j++)
                {
                    a[(k * d) + j] = double.CreateTruncating(from[(k * d) + j]) + (j == k ? 1 : 0);
                    inverse[(k * d) + j] = j == k ? 1 : 0;
                }
            }

            double determinant = Solve(d, a, inverse, out double logarithm);
            *logDet.Row(i) = T.CreateTruncating(determinant > 0 ? logarithm : double.NaN);
            for (int k = 0; k < d; k++)
            {
                T* to = cotangents.Row((k * samples) + i);
                for (int j = 0; j < d; j++)
                {
                    to[j] = T.CreateTruncating(inverse[(k * d) + j]);
                }
            }
        }
    }

    /// <summary>With u_k = (J')^k probe: logDet &lt;- sum values[k-1] u_k . probe, cotangent &lt;- probe + sum cotangents[k-1] u_k.</summary>
    public static void Series(
        View<T> jacobians, View<T> probe, ReadOnlySpan<double> values, ReadOnlySpan<double> cotangents, View<T> logDet, View<T> cotangent)
    {
        int d = probe.Columns;
        double* u = Scratch<double>.Rent(ScratchSlot.Left, (3 * d) + (d * d));
        double* next = u + d, total = next + d, matrix = total + d;
        for (int i = 0; i < probe.Rows; i++)
        {
            T* jacobian = jacobians.Row(i), from = probe.Row(i);
            for (int j = 0; j < d * d; j++)
            {
                matrix[j] = double.CreateTruncating(jacobian[j]);
            }

            for (int j = 0; j < d; j++)
            {
                u[j] = total[j] = double.CreateTruncating(from[j]);
            }

            double value = 0;
            for (int k = 0; k < values.Length; k++)
            {
                double dot = 0;
                for (int j = 0; j < d; j++)
                {
                    double sum = 0;
                    for (int r = 0; r < d; r++)
                    {
                        sum += matrix[(r * d) + j] * u[r];
                    }

                    next[j] = sum;
                    dot += sum * double.CreateTruncating(from[j]);
                    total[j] += cotangents[k] * sum;
                }

                value += values[k] * dot;
                double* swap = u;
                u = next;
                next = swap;
            }

            *logDet.Row(i) = T.CreateTruncating(value);
            T* to = cotangent.Row(i);
            for (int j = 0; j < d; j++)
            {
                to[j] = T.CreateTruncating(total[j]);
            }
        }
    }

    /// <summary>
    /// b &lt;- a^-1 b by Gaussian elimination with partial pivoting, a being lost. Returns the sign of det a, 0 when singular, which
    /// leaves NaN in b.
    /// </summary>
    private static double Solve(int d, double* a, double* b, out double logarithm)
    {
        logarithm = 0;
        double sign = 1;
        for (int k = 0; k < d; k++)
        {
            int pivot = k;
            for (int i = k + 1; i < d; i++)
            {
                pivot = Math.Abs(a[(i * d) + k]) > Math.Abs(a[(pivot * d) + k]) ? i : pivot;
            }

            if (pivot != k)
            {
                sign = -sign;
                for (int j = 0; j < d; j++)
                {
                    Exchange(ref a[(k * d) + j], ref a[(pivot * d) + j]);
                    Exchange(ref b[(k * d) + j], ref b[(pivot * d) + j]);
                }
            }

            double diagonal = a[(k * d) + k];
            logarithm += Math.Log(Math.Abs(diagonal));
            sign = diagonal > 0 ? sign : diagonal < 0 ? -sign : 0;
            for (int i = k + 1; i < d; i++)
            {
                double factor = a[(i * d) + k] / diagonal;
                for (int j = 0; j < d; j++)
                {
                    a[(i * d) + j] -= factor * a[(k * d) + j];
                    b[(i * d) + j] -= factor * b[(k * d) + j];
                }
            }
        }

        for (int k = d - 1; k >= 0; k--)
        {
            for (int j = 0; j < d; j++)
            {
                double value = b[(k * d) + j];
                for (int i = k + 1; i < d; i++)
                {
                    value -= a[(k * d) + i] * b[(i * d) + j];
                }

                b[(k * d) + j] = sign == 0 ? double.NaN : value / a[(k * d) + k];
            }
        }

        return sign;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Exchange(ref double x, ref double y) => (x, y) = (y, x);
}
