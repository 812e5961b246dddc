using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Branches;

/// <summary>Encloses g(x) and its Jacobian for the real function that a branch's numbers define.</summary>
public static class NetworkEnclosure
{
    /// <summary>Encloses g(x).</summary>
    public static Interval[] Value(BranchNetwork network, ReadOnlySpan<Interval> x)
    {
        var slices = new Interval[network.TotalWidth];
        x.CopyTo(slices);
        int at = network.InputWidth;
        foreach (DenseStage stage in network.Stages)
        {
            Interval[] a = IntervalActivation.Value(stage.Function, stage.Scalars, Affine(stage, slices));
            a.CopyTo(slices, at);
            at += a.Length;
        }

        return Affine(network.Last, slices);
    }

    /// <summary>Encloses g(x) and the Jacobian [out, in] of g at every point of x.</summary>
    /// <exception cref="NotSupportedException">A nonlinearity has no slopes: MaxMin.</exception>
    public static (Interval[] Value, Interval[,] Jacobian) ValueAndJacobian(BranchNetwork network, ReadOnlySpan<Interval> x)
    {
        int d = network.InputWidth, at = d;
        var slices = new Interval[network.TotalWidth];
        var rows = new Interval[network.TotalWidth][];
        x.CopyTo(slices);
        for (int i = 0; i < d; i++)
        {
            rows[i] = new Interval[d];
            rows[i][i] = 1;
        }

        foreach (DenseStage stage in network.Stages)
        {
            Interval[] pre = Affine(stage, slices);
            Interval[] a = IntervalActivation.Value(stage.Function, stage.Scalars, pre);
            Interval[] slopes = IntervalActivation.Slope(stage.Function, stage.Scalars, pre);
            for (int i = 0; i < stage.Outputs; i++)
            {
                Interval[] row = Combine(stage, i, rows, d);
                for (int k = i; k < slopes.Length; k += stage.Outputs)
                {
                    rows[at + k] = [.. row.Select(entry => entry * slopes[k])];
                }
            }

            a.CopyTo(slices, at);
            at += a.Length;
        }

        var jacobian = new Interval[network.Last.Outputs, d];
        for (int i = 0; i < network.Last.Outputs; i++)
        {
            Interval[] row = Combine(network.Last, i, rows, d);
            for (int j = 0; j < d; j++)
            {
                jacobian[i, j] = row[j];
            }
        }

        return (Affine(network.Last, slices), jacobian);
    }

    /// <summary>Encloses W v + b: middles by plain sums with their a-priori error, radii by sums of absolute products.</summary>
    internal static Interval[] Affine(DenseStage stage, ReadOnlySpan<Interval> slices)
    {
        int n = stage.Inputs;
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

    private static Interval[] Combine(DenseStage stage, int i, Interval[][] rows, int d)
    {
        var sum = new Interval[d];
        for (int k = 0; k < stage.Inputs; k++)
        {
            double w = stage.Weight[(i * stage.Inputs) + k];
            if (w != 0)
            {
                IntervalMatrix.AddMultiple(sum, w, rows[k]);
            }
        }

        return sum;
    }
}
