using System.Numerics;

namespace Lipschitz.Cpu.Kernels;

/// <summary>The column factors of a chain of concatenations and their adjoint: a few numbers a layer, in double.</summary>
internal static unsafe class ConcatenationScales<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Row i of scales &lt;- the factors of slices 0..i, spread over their columns; zeros behind.</summary>
    public static void Forward(View<T> raw, double bound, ReadOnlySpan<int> widths, View<T> scales)
    {
        int depth = raw.Rows;
        double* factors = Factors(raw, bound);
        for (int i = 0; i <= depth; i++)
        {
            T* to = scales.Row(i);
            for (int slice = 0; slice <= depth; slice++)
            {
                new Span<T>(to, widths[slice]).Fill(T.CreateTruncating(factors[(i * (depth + 1)) + slice]));
                to += widths[slice];
            }
        }
    }

    /// <summary>rawGradient += the derivative of sum(scalesGradient scales).</summary>
    public static void Backward(View<T> raw, double bound, ReadOnlySpan<int> widths, View<T> scalesGradient, View<T> rawGradient)
    {
        int depth = raw.Rows;
        double* factors = Factors(raw, bound);
        double* adjoint = factors + ((depth + 1) * (depth + 1)); // of row i of the factors, which row i + 1 uses too
        new Span<double>(adjoint, depth + 1).Clear();
        for (int i = depth; i >= 1; i--)
        {
            T* from = scalesGradient.Row(i);
            for (int slice = 0; slice <= i; slice++)
            {
                for (int j = 0; j < widths[slice]; j++)
                {
                    adjoint[slice] += double.CreateTruncating(from[j]);
                }

                from += widths[slice];
            }

            T* k = raw.Row(i - 1), to = rawGradient.Row(i - 1);
            (double h1, double h2, double length) = Layer(k);
            double g1 = 0, g2 = adjoint[i];
            for (int slice = 0; slice < i; slice++)
            {
                g1 += adjoint[slice] * factors[((i - 1) * (depth + 1)) + slice];
                adjoint[slice] *= bound * h1 / length;
            }

            // d(h/|h|) = (dh - (h . dh) h/|h|^2)/|h|, which is its own adjoint; dh = sigmoid(K) dK.
            double radial = ((h1 * g1) + (h2 * g2)) / (length * length);
            to[0] += T.CreateTruncating(bound / length * (g1 - (radial * h1)) * ScalarMath.Sigmoid(double.CreateTruncating(k[0])));
            to[1] += T.CreateTruncating(bound / length * (g2 - (radial * h2)) * ScalarMath.Sigmoid(double.CreateTruncating(k[1])));
        }
    }

    /// <summary>h = softplus(K) + 0.1 of a layer, and |h|.</summary>
    private static (double H1, double H2, double Length) Layer(T* k)
    {
        double h1 = ScalarMath.Softplus(double.CreateTruncating(k[0])) + 0.1;
        double h2 = ScalarMath.Softplus(double.CreateTruncating(k[1])) + 0.1;
        return (h1, h2, Math.Sqrt((h1 * h1) + (h2 * h2)));
    }

    /// <summary>[depth + 1, depth + 1]: the factor that row i holds for slice j; with room for one more row behind.</summary>
    private static double* Factors(View<T> raw, double bound)
    {
        int size = raw.Rows + 1;
        double* factors = Scratch<double>.Rent(ScratchSlot.Left, size * (size + 1));
        new Span<double>(factors, size * size).Clear();
        factors[0] = 1;
        for (int i = 1; i < size; i++)
        {
            (double h1, double h2, double length) = Layer(raw.Row(i - 1));
            for (int slice = 0; slice < i; slice++)
            {
                factors[(i * size) + slice] = factors[((i - 1) * size) + slice] * bound * h1 / length;
            }

            factors[(i * size) + i] = bound * h2 / length;
        }

        return factors;
    }
}
