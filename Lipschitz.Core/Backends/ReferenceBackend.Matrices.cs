using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Backends;

/// <content>Small Jacobians; weights.</content>
public sealed partial class ReferenceBackend<T>
{
    // ---- small Jacobians ----

    /// <inheritdoc/>
    public void CompleteBasis(Tensor probe, Tensor tangents)
    {
        int samples = probe.Rows;
        int d = probe.Columns;
        Require(tangents, d * samples, d, "tangents");
        var from = new View(probe);
        var to = new View(tangents);
        for (int i = 0; i < samples; i++)
        {
            int largest = 0; // the first of several
            for (int j = 0; j < d; j++)
            {
                to[i, j] = from[i, j];
                largest = Math.Abs(from[i, j]) > Math.Abs(from[i, largest]) ? j : largest;
            }

            for (int block = 1; block < d; block++)
            {
                int unit = block <= largest ? block - 1 : block;
                for (int j = 0; j < d; j++)
                {
                    to[(block * samples) + i, j] = j == unit ? 1 : 0;
                }
            }
        }
    }

    /// <inheritdoc/>
    public void SolveJacobians(Tensor tangents, Tensor images, Tensor jacobians)
    {
        int samples = jacobians.Rows;
        int d = tangents.Columns;
        Require(tangents, d * samples, d, "tangents");
        Require(images, d * samples, d, "images");
        Require(jacobians, samples, d * d, "jacobians");
        var from = new View(tangents);
        var image = new View(images);
        var to = new View(jacobians);
        for (int i = 0; i < samples; i++)
        {
            // Row k of the system: t_k' J' = image_k'.
            double[,] a = new double[d, d];
            double[,] b = new double[d, d];
            for (int k = 0; k < d; k++)
            {
                for (int j = 0; j < d; j++)
                {
                    a[k, j] = from[(k * samples) + i, j];
                    b[k, j] = image[(k * samples) + i, j];
                }
            }

            Solve(a, b);
            for (int k = 0; k < d; k++)
            {
                for (int j = 0; j < d; j++)
                {
                    to[i, (k * d) + j] = b[j, k];
                }
            }
        }
    }

    /// <inheritdoc/>
    public void ExactLogDet(Tensor jacobians, Tensor logDet, Tensor cotangents)
    {
        int samples = jacobians.Rows;
        int d = cotangents.Columns;
        Require(jacobians, samples, d * d, "jacobians");
        Require(logDet, samples, 1, "logDet");
        Require(cotangents, d * samples, d, "cotangents");
        var from = new View(jacobians);
        var sums = new View(logDet);
        var to = new View(cotangents);
        for (int i = 0; i < samples; i++)
        {
            double[,] a = new double[d, d];
            double[,] inverse = new double[d, d];
            for (int k = 0; k < d; k++)
            {
                inverse[k, k] = 1;
                for (int j = 0; j < d; j++)
                {
                    a[k, j] = from[i, (k * d) + j] + (j == k ? 1 : 0);
                }
            }

            (double logarithm, int sign) = Solve(a, inverse);
            sums[i, 0] = sign > 0 ? logarithm : double.NaN;
            for (int k = 0; k < d; k++)
            {
                for (int j = 0; j < d; j++)
                {
                    to[(k * samples) + i, j] = inverse[k, j];
                }
            }
        }
    }

    /// <inheritdoc/>
    public void SeriesLogDet(
        Tensor jacobians, Tensor probe, ReadOnlySpan<double> values, ReadOnlySpan<double> cotangents, Tensor logDet, Tensor cotangent)
    {
        int d = probe.Columns;
        Require(jacobians, probe.Rows, d * d, "jacobians");
        Require(logDet, probe.Rows, 1, "logDet");
        Require(cotangent, probe.Rows, d, "cotangent");
        RequirePairs(values, cotangents);

        var matrix = new View(jacobians);
        var from = new View(probe);
        var sums = new View(logDet);
        var to = new View(cotangent);
        double[] u = new double[d];
        double[] next = new double[d];
        double[] total = new double[d];
        for (int i = 0; i < probe.Rows; i++)
        {
            double value = 0;
            for (int j = 0; j < d; j++)
            {
                u[j] = total[j] = from[i, j];
            }

            for (int k = 0; k < values.Length; k++)
            {
                double dot = 0;
                for (int j = 0; j < d; j++)
                {
                    next[j] = 0;
                    for (int r = 0; r < d; r++)
                    {
                        next[j] += matrix[i, (r * d) + j] * u[r];
                    }

                    dot += next[j] * from[i, j];
                    total[j] += cotangents[k] * next[j];
                }

                value += values[k] * dot;
                (u, next) = (next, u);
            }

            sums[i, 0] = value;
            for (int j = 0; j < d; j++)
            {
                to[i, j] = total[j];
            }
        }
    }

    // ---- weights ----

    /// <inheritdoc/>
    public void PowerIterate(Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma)
    {
        int m = w.Rows;
        int n = w.Columns;
        Require(u, 1, m, "u");
        Require(v, 1, n, "v");
        Require(sigma, 1, 1, "sigma");
        var us = new View(u);
        var vs = new View(v);
        double[] left = new double[m];
        double[] right = new double[n];
        for (int i = 0; i < m; i++)
        {
            left[i] = us[0, i];
        }

        for (int j = 0; j < n; j++)
        {
            right[j] = vs[0, j];
        }

        int made = 0;
        double value = double.NaN; // the first comparison is false
        while (made < iterations)
        {
            double[] forward = Apply(w, right, transpose: false);
            double length = Length(forward);
            double[] back = Apply(w, Divide(forward, length), transpose: true);
            double last = value;
            value = Length(back);
            if (length == 0 || value == 0)
            {
                break;
            }

            left = Divide(forward, length);
            right = Divide(back, value);
            made++;
            if (tolerance > 0 && Math.Abs(value - last) <= tolerance * value)
            {
                break;
            }
        }

        double[] product = Apply(w, right, transpose: false);
        double dot = 0;
        for (int i = 0; i < m; i++)
        {
            dot += left[i] * product[i];
        }

        new View(sigma)[0, 0] = dot;
        if (made > 0)
        {
            Upload(left, u);
            Upload(right, v);
        }
    }

    /// <inheritdoc/>
    public void NormaliseWeight(Tensor w, Tensor sigma, double coefficient, Tensor columnScale, Tensor effective)
    {
        Require(sigma, 1, 1, "sigma");
        Require(columnScale, 1, w.Columns, "columnScale");
        Require(effective, w.Rows, w.Columns, "effective");
        var from = new View(w);
        var scale = new View(columnScale);
        var to = new View(effective);
        double factor = Math.Min(1, coefficient / new View(sigma)[0, 0]);
        for (int i = 0; i < w.Rows; i++)
        {
            for (int j = 0; j < w.Columns; j++)
            {
                to[i, j] = from[i, j] * factor * scale[0, j];
            }
        }
    }

    /// <inheritdoc/>
    public void NormaliseWeightBackward(
        Tensor w, Tensor u, Tensor v, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient)
    {
        Require(u, 1, w.Rows, "u");
        Require(v, 1, w.Columns, "v");
        Require(sigma, 1, 1, "sigma");
        Require(columnScale, 1, w.Columns, "columnScale");
        Require(gradient, w.Rows, w.Columns, "gradient");
        Require(columnGradient, 1, w.Columns, "columnGradient");
        var weight = new View(w);
        var left = new View(u);
        var right = new View(v);
        var scale = new View(columnScale);
        var g = new View(gradient);
        var columns = new View(columnGradient);
        double norm = new View(sigma)[0, 0];
        double factor = Math.Min(1, coefficient / norm);
        double product = 0; // <G, w>
        for (int j = 0; j < w.Columns; j++)
        {
            double sum = 0;
            for (int i = 0; i < w.Rows; i++)
            {
                sum += g[i, j] * weight[i, j];
            }

            columns[0, j] = factor * sum;
            product += scale[0, j] * sum;
        }

        for (int i = 0; i < w.Rows; i++)
        {
            for (int j = 0; j < w.Columns; j++)
            {
                double scaled = g[i, j] * scale[0, j];
                g[i, j] = norm > coefficient ? factor * (scaled - (product / norm * left[0, i] * right[0, j])) : scaled;
            }
        }
    }

    /// <inheritdoc/>
    public void ConcatenationScales(Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scales)
    {
        RequireSlices(raw, sliceWidths, scales, "scales");
        double[,] factors = SliceFactors(raw, bound);
        var to = new View(scales);
        for (int i = 0; i <= raw.Rows; i++)
        {
            int column = 0;
            for (int slice = 0; slice <= raw.Rows; slice++)
            {
                for (int end = column + sliceWidths[slice]; column < end; column++)
                {
                    to[i, column] = factors[i, slice];
                }
            }
        }
    }

    /// <inheritdoc/>
    public void ConcatenationScalesBackward(
        Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scalesGradient, Tensor rawGradient)
    {
        RequireSlices(raw, sliceWidths, scalesGradient, "scalesGradient");
        Require(rawGradient, raw.Rows, 2, "rawGradient");
        int depth = raw.Rows;
        double[,] factors = SliceFactors(raw, bound);
        var from = new View(scalesGradient);
        var to = new View(rawGradient);
        var k = new View(raw);
        double[] adjoint = new double[depth + 1]; // of row i of factors, which row i + 1 uses too
        for (int i = depth; i >= 1; i--)
        {
            int column = 0;
            for (int slice = 0; slice <= depth; slice++)
            {
                for (int end = column + sliceWidths[slice]; column < end; column++)
                {
                    adjoint[slice] += slice <= i ? from[i, column] : 0;
                }
            }

            (double e1, _, double h1, double h2) = LayerFactors(raw, bound, i);
            double g1 = 0;
            double g2 = adjoint[i];
            for (int slice = 0; slice < i; slice++)
            {
                g1 += adjoint[slice] * factors[i - 1, slice];
                adjoint[slice] *= e1;
            }

            double length = Math.Sqrt((h1 * h1) + (h2 * h2));
            double radial = ((h1 * g1) + (h2 * g2)) / (length * length);
            to[i - 1, 0] += bound / length * (g1 - (radial * h1)) * ScalarActivation.Sigmoid(k[i - 1, 0]);
            to[i - 1, 1] += bound / length * (g2 - (radial * h2)) * ScalarActivation.Sigmoid(k[i - 1, 1]);
        }
    }

    /// <summary>The factors e1, e2 of layer 1.. and the unscaled h1, h2 behind them.</summary>
    private static (double E1, double E2, double H1, double H2) LayerFactors(Tensor raw, double bound, int layer)
    {
        var k = new View(raw);
        double h1 = ScalarActivation.Softplus(k[layer - 1, 0]) + 0.1;
        double h2 = ScalarActivation.Softplus(k[layer - 1, 1]) + 0.1;
        double length = Math.Sqrt((h1 * h1) + (h2 * h2));
        return (bound * h1 / length, bound * h2 / length, h1, h2);
    }

    /// <summary>Element (i, j): the factor that row i of the scales holds for slice j.</summary>
    private static double[,] SliceFactors(Tensor raw, double bound)
    {
        double[,] factors = new double[raw.Rows + 1, raw.Rows + 1];
        factors[0, 0] = 1;
        for (int i = 1; i <= raw.Rows; i++)
        {
            (double e1, double e2, _, _) = LayerFactors(raw, bound, i);
            for (int slice = 0; slice < i; slice++)
            {
                factors[i, slice] = factors[i - 1, slice] * e1;
            }

            factors[i, i] = e2;
        }

        return factors;
    }

    private static double[] Apply(Tensor w, double[] x, bool transpose)
    {
        var matrix = new View(w);
        double[] y = new double[transpose ? w.Columns : w.Rows];
        for (int i = 0; i < w.Rows; i++)
        {
            for (int j = 0; j < w.Columns; j++)
            {
                if (transpose)
                {
                    y[j] += matrix[i, j] * x[i];
                }
                else
                {
                    y[i] += matrix[i, j] * x[j];
                }
            }
        }

        return y;
    }

    private static double Length(double[] x)
    {
        double sum = 0;
        foreach (double element in x)
        {
            sum += element * element;
        }

        return Math.Sqrt(sum);
    }

    private static double[] Divide(double[] x, double divisor) => Array.ConvertAll(x, element => element / divisor);

    /// <summary>
    /// b &lt;- a^-1 b by Gaussian elimination with partial pivoting, a being lost; returns log |det a| and the sign of det a.
    /// A singular a leaves NaN in b and returns sign 0.
    /// </summary>
    private static (double LogDeterminant, int Sign) Solve(double[,] a, double[,] b)
    {
        int d = a.GetLength(0);
        double logarithm = 0;
        int sign = 1;
        for (int k = 0; k < d; k++)
        {
            int pivot = k;
            for (int i = k + 1; i < d; i++)
            {
                pivot = Math.Abs(a[i, k]) > Math.Abs(a[pivot, k]) ? i : pivot;
            }

            if (pivot != k)
            {
                sign = -sign;
                for (int j = 0; j < d; j++)
                {
                    (a[k, j], a[pivot, j]) = (a[pivot, j], a[k, j]);
                    (b[k, j], b[pivot, j]) = (b[pivot, j], b[k, j]);
                }
            }

            logarithm += Math.Log(Math.Abs(a[k, k]));
            sign *= double.IsNaN(a[k, k]) ? 0 : Math.Sign(a[k, k]);
            for (int i = k + 1; i < d; i++)
            {
                double factor = a[i, k] / a[k, k];
                for (int j = 0; j < d; j++)
                {
                    a[i, j] -= factor * a[k, j];
                    b[i, j] -= factor * b[k, j];
                }
            }
        }

        for (int k = d - 1; k >= 0; k--)
        {
            for (int j = 0; j < d; j++)
            {
                for (int i = k + 1; i < d; i++)
                {
                    b[k, j] -= a[k, i] * b[i, j];
                }

                b[k, j] = sign == 0 ? double.NaN : b[k, j] / a[k, k];
            }
        }

        return (logarithm, sign);
    }
}
