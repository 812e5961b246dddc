using Lipschitz.Backends;
using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Inverse;

/// <summary>What is assumed of an evaluation in single precision; a certificate that uses it must say so.</summary>
/// <param name="ActivationError">
/// A computed nonlinearity is off by at most this times |phi(z)| + |z|: 2^-20 is 16 units in the last place.
/// </param>
/// <remarks>
/// Sums of products are assumed to be float32 or better, in any order, fused or not, with gradual underflow.
/// </remarks>
public sealed record SinglePrecisionAssumption(double ActivationError = 1.0 / (1 << 20));

/// <summary>
/// A running bound of |g^(x) - g(x)|_2, g^ evaluated in single precision:
/// <c>out &lt;= sum |W| in + gamma_(n+2) (sum |W||z^| + |b|)</c> a stage, then <c>Lip(phi) out</c> and the activation's own error.
/// </summary>
public static class EvaluationError
{
    /// <summary>At least |g^(x) - g(x)|_2 at a point of single-precision numbers.</summary>
    public static double Bound(BranchNetwork network, ReadOnlySpan<double> x, SinglePrecisionAssumption assumption)
    {
        var slices = new Interval[network.TotalWidth];
        var errors = new double[network.TotalWidth];
        for (int i = 0; i < x.Length; i++)
        {
            slices[i] = x[i];
        }

        int at = network.InputWidth;
        foreach (DenseStage stage in network.Stages)
        {
            Interval[] pre = NetworkEnclosure.Affine(stage, slices);
            double[] before = Sums(stage, slices, errors);
            Interval[] after = IntervalActivation.Value(stage.Function, stage.Scalars, pre);
            double slope = ActivationBound.Slopes(stage.Function).Magnitude;
            for (int k = 0; k < after.Length; k++)
            {
                // MaxMin moves by no more than its pair does; every other column k depends on input k modulo their number.
                int pair = 2 * (k % Math.Max(1, stage.Outputs / 2)), column = k % stage.Outputs;
                (double moved, double size) = stage.Function == Activation.MaxMin
                    ? (Math.Max(before[pair], before[pair + 1]), Math.Max(pre[pair].Magnitude, pre[pair + 1].Magnitude))
                    : (before[column], pre[column].Magnitude);
                double scale = Outward.AddUp(after[k].Magnitude, Outward.AddUp(size, moved));
                double own = Outward.AddUp(Outward.MultiplyUp(assumption.ActivationError, scale), Math.ScaleB(1, -126));
                (slices[at + k], errors[at + k]) = (after[k], Outward.AddUp(Outward.MultiplyUp(slope, moved), own));
            }

            at += after.Length;
        }

        return VectorNorm.Up(Sums(network.Last, slices, errors), 2);
    }

    // The error of each row of W z^ + b: what comes in, and what n + 2 roundings to 24 bits add.
    private static double[] Sums(DenseStage stage, Interval[] slices, double[] errors)
    {
        int n = stage.Inputs;
        double nu = (n + 2) * Math.ScaleB(1, -24), gamma = Outward.DivideUp(nu, Outward.SubtractDown(1, nu));
        var result = new double[stage.Outputs];
        for (int i = 0; i < stage.Outputs; i++)
        {
            double size = Math.Abs(stage.Bias[i]), incoming = 0;
            for (int k = 0; k < n; k++)
            {
                double w = Math.Abs(stage.Weight[(i * n) + k]);
                if (w != 0)
                {
                    size = Outward.AddUp(size, Outward.MultiplyUp(w, Outward.AddUp(slices[k].Magnitude, errors[k])));
                    incoming = Outward.AddUp(incoming, Outward.MultiplyUp(w, errors[k]));
                }
            }

            result[i] = Outward.AddUp(incoming, Outward.AddUp(Outward.MultiplyUp(gamma, size), n * Math.ScaleB(1, -149)));
        }

        return result;
    }
}
