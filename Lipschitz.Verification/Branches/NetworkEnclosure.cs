using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Branches;

/// <summary>Encloses g(x) and its Jacobian for the real function that a branch's numbers define.</summary>
public static class NetworkEnclosure
{
    /// <summary>Encloses g(x), x [Pixels, InputWidth].</summary>
    public static Interval[] Value(BranchNetwork network, ReadOnlySpan<Interval> x)
    {
        Interval[] slices = Begin(network, x);
        int at = network.InputWidth;
        foreach (DenseStage stage in network.Stages)
        {
            Put(network, slices, at, Activate(stage, Affine(network, stage, slices)));
            at += stage.SliceWidth;
        }

        return Affine(network, network.Last, slices);
    }

    /// <summary>Encloses g(x) and the Jacobian [out, in] of g at every point of x.</summary>
    /// <exception cref="NotSupportedException">A nonlinearity has no slopes: MaxMin.</exception>
    public static (Interval[] Value, Interval[,] Jacobian) ValueAndJacobian(BranchNetwork network, ReadOnlySpan<Interval> x)
    {
        int d = x.Length, at = network.InputWidth;
        Interval[] slices = Begin(network, x);
        var none = new Interval[d];
        var rows = new Interval[network.Pixels * network.TotalWidth][]; // of the derivative of each slice
        for (int i = 0; i < d; i++)
        {
            rows[(i / at * network.TotalWidth) + (i % at)] = new Interval[d];
            rows[(i / at * network.TotalWidth) + (i % at)][i] = 1;
        }

        foreach (DenseStage stage in network.Stages)
        {
            Interval[] pre = Affine(network, stage, slices);
            Interval[][] derivatives = Derivatives(network, stage, rows, none);
            for (int pixel = 0; pixel < network.Pixels; pixel++)
            {
                Interval[] slopes = IntervalActivation.Slope(
                    stage.Function, stage.Scalars, pre[(pixel * stage.Outputs)..((pixel + 1) * stage.Outputs)]);
                for (int k = 0; k < slopes.Length; k++)
                {
                    Interval[] row = derivatives[(pixel * stage.Outputs) + (k % stage.Outputs)];
                    rows[(pixel * network.TotalWidth) + at + k] = [.. row.Select(entry => entry * slopes[k])];
                }
            }

            Put(network, slices, at, Activate(stage, pre));
            at += stage.SliceWidth;
        }

        Interval[][] last = Derivatives(network, network.Last, rows, none);
        var jacobian = new Interval[last.Length, d];
        for (int i = 0; i < last.Length; i++)
        {
            for (int j = 0; j < d; j++)
            {
                jacobian[i, j] = last[i][j];
            }
        }

        return (Affine(network, network.Last, slices), jacobian);
    }

    /// <summary>Room for all slices [Pixels, TotalWidth] with x in its place.</summary>
    /// <exception cref="ArgumentException">x has another width.</exception>
    internal static Interval[] Begin(BranchNetwork network, ReadOnlySpan<Interval> x)
    {
        if (x.Length != network.Pixels * network.InputWidth)
        {
            throw new ArgumentException($"The branch takes {network.Pixels * network.InputWidth} numbers, not {x.Length}.", nameof(x));
        }

        var slices = new Interval[network.Pixels * network.TotalWidth];
        Put(network, slices, 0, x);
        return slices;
    }

    /// <summary>Writes one slice [Pixels, its width] to its columns from <paramref name="at"/> on.</summary>
    internal static void Put<T>(BranchNetwork network, Span<T> slices, int at, ReadOnlySpan<T> slice)
    {
        int width = slice.Length / network.Pixels;
        for (int pixel = 0; pixel < network.Pixels; pixel++)
        {
            slice.Slice(pixel * width, width).CopyTo(slices[((pixel * network.TotalWidth) + at)..]);
        }
    }

    /// <summary>phi at each pixel.</summary>
    internal static Interval[] Activate(DenseStage stage, Interval[] pre)
    {
        var all = new Interval[pre.Length / stage.Outputs * stage.SliceWidth];
        for (int pixel = 0; pixel < pre.Length / stage.Outputs; pixel++)
        {
            Interval[] here = pre[(pixel * stage.Outputs)..((pixel + 1) * stage.Outputs)];
            IntervalActivation.Value(stage.Function, stage.Scalars, here).CopyTo(all, pixel * stage.SliceWidth);
        }

        return all;
    }

    /// <summary>Encloses W v + b at each pixel.</summary>
    internal static Interval[] Affine(BranchNetwork network, DenseStage stage, Interval[] slices)
    {
        var all = new Interval[network.Pixels * stage.Outputs];
        SymmetricMatrix.Loop(network.Pixels, true, pixel =>
        {
            var patch = new Interval[stage.PatchLength];
            network.Patch(stage, pixel, slices, default, patch);
            Affine(stage, patch).CopyTo(all, pixel * stage.Outputs);
        });
        return all;
    }

    /// <summary>Encloses W v + b: middles by plain sums with their a-priori error, radii by sums of absolute products.</summary>
    private static Interval[] Affine(DenseStage stage, ReadOnlySpan<Interval> slices)
    {
        int n = slices.Length;
        var y = new Interval[stage.Outputs];
        double gamma = FloatingPoint.Gamma(n + 3);
        var middle = new double[n];
        var radius = new double[n];
        for (int k = 0; k < n; k++)
        {
            (middle[k], radius[k]) = (slices[k].Middle, slices[k].Radius);
        }

        for (int i = 0; i < stage.Outputs; i++)
        {
            ReadOnlySpan<double> row = stage.Weight.AsSpan(i * n, n);
            double sum = stage.Bias[i], size = Math.Abs(stage.Bias[i]), spread = 0;
            for (int k = 0; k < n; k++)
            {
                double w = Math.Abs(row[k]);
                sum += row[k] * middle[k];
                size += w * Math.Abs(middle[k]);
                spread += w * radius[k];
            }

            // size and spread are themselves sums of n rounded products: below the truth by at most gamma of it.
            double above = Outward.AddUp(Outward.MultiplyUp(gamma, size), spread);
            double error = Outward.AddUp(Outward.DivideUp(above, Outward.SubtractDown(1, gamma)), FloatingPoint.UnderflowAllowance);
            y[i] = new(Outward.SubtractDown(sum, error), Outward.AddUp(sum, error));
        }

        return y;
    }

    // The rows of W times the derivative of the slices, those of pixel 0 first.
    private static Interval[][] Derivatives(BranchNetwork network, DenseStage stage, Interval[][] rows, Interval[] none)
    {
        var all = new Interval[network.Pixels * stage.Outputs][];
        var patch = new Interval[stage.PatchLength][];
        for (int i = 0; i < all.Length; i++)
        {
            (int pixel, int output) = (i / stage.Outputs, i % stage.Outputs);
            network.Patch(stage, pixel, rows, none, patch);
            all[i] = new Interval[none.Length];
            for (int k = 0; k < patch.Length; k++)
            {
                double w = stage.Weight[(output * patch.Length) + k];
                if (w != 0)
                {
                    IntervalMatrix.AddMultiple(all[i], w, patch[k]);
                }
            }
        }

        return all;
    }
}
