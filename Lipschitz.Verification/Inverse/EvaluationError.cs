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
/// Sums of products are assumed to be float32 or better, in any order, fused or not, with gradual underflow; convolutions with kernel 3
/// may also be computed by Winograd's minimal filtering of 2 x 2 tiles, and of 4 x 4 tiles from the first pixel on with the points 0, +-3/4,
/// +-3/2 and infinity. That is what Lipschitz.Cpu does, and Lipschitz.Cuda in float32. It is not what TF32, another library's choice of points, or
/// Fourier transforms do.
/// </remarks>
public sealed record SinglePrecisionAssumption(double ActivationError = 1.0 / (1 << 20));

/// <summary>
/// A running bound of |g^(x) - g(x)|_2, g^ evaluated in single precision:
/// <c>out &lt;= sum |W| in + gamma (sum |W||z^| + |b|)</c> a stage, then <c>Lip(phi) out</c> and the activation's own error.
/// </summary>
/// <remarks>
/// Winograd's filtering in one direction, of numbers x_-1, x_0, x_1 with taps g, makes products of g_0 and of (g_0 +- g_1 + g_2)/2 with
/// x_-1 - x_1 and x_0 +- x_1, or the mirror image: sizes that sum to at most 2 (|g_0| + |g_1| + |g_2|) for each x. In two directions 4 times
/// the sum of all taps, for each of the nine pixels; and at most 14 roundings besides those of a sum over the channels. Tiles of 4 x 4 pixels reach
/// further: see <see cref="WinogradSizes"/>. Which one is used depends on the shape and on the machine, so the larger size counts. Where a sum, or a
/// number on the way to it, may exceed the largest of single precision, there is no bound: it is infinite.
/// </remarks>
public static class EvaluationError
{
    private const int WinogradKernel = 3;

    /// <summary>At least |g^(x) - g(x)|_2 at a point of single-precision numbers.</summary>
    public static double Bound(BranchNetwork network, ReadOnlySpan<double> x, SinglePrecisionAssumption assumption) =>
        VectorNorm.Up(OfOutputs(network, x, assumption), 2);

    /// <summary>At least the error of each output.</summary>
    internal static double[] OfOutputs(BranchNetwork network, ReadOnlySpan<double> x, SinglePrecisionAssumption assumption)
    {
        Interval[] slices = NetworkEnclosure.Begin(network, [.. x.ToArray().Select(Interval.FromDouble)]);
        var errors = new double[slices.Length];
        int at = network.InputWidth;
        foreach (DenseStage stage in network.Stages)
        {
            Interval[] pre = NetworkEnclosure.Affine(network, stage, slices), after = NetworkEnclosure.Activate(stage, pre);
            double[] before = Sums(network, stage, slices, errors), moved = new double[after.Length];
            for (int pixel = 0; pixel < network.Pixels; pixel++)
            {
                Range columns = (pixel * stage.Outputs)..((pixel + 1) * stage.Outputs);
                Range results = (pixel * stage.SliceWidth)..((pixel + 1) * stage.SliceWidth);
                Move(stage, assumption, pre.AsSpan(columns), before.AsSpan(columns), after.AsSpan(results), moved.AsSpan(results));
            }

            NetworkEnclosure.Put(network, slices, at, after);
            NetworkEnclosure.Put(network, errors, at, moved);
            at += stage.SliceWidth;
        }

        return Sums(network, network.Last, slices, errors);
    }

    // The error of each column of phi(z^) at a pixel.
    private static void Move(
        DenseStage stage, SinglePrecisionAssumption assumption, ReadOnlySpan<Interval> pre, ReadOnlySpan<double> before, ReadOnlySpan<Interval> after,
        Span<double> result)
    {
        double slope = ActivationBound.Slopes(stage.Function).Magnitude;
        for (int k = 0; k < after.Length; k++)
        {
            // MaxMin moves by no more than its pair does; every other column k depends on input k modulo their number.
            int pair = 2 * (k % Math.Max(1, stage.Outputs / 2)), column = k % stage.Outputs;
            (double moved, double size) = stage.Function == Activation.MaxMin
                ? (Math.Max(before[pair], before[pair + 1]), Math.Max(pre[pair].Magnitude, pre[pair + 1].Magnitude))
                : (before[column], pre[column].Magnitude);
            // The nonlinearity's own error is relative to what it is computed of and to what comes out, both moved already.
            double through = Outward.MultiplyUp(slope, moved);
            double scale = Outward.AddUp(Outward.AddUp(after[k].Magnitude, through), Outward.AddUp(size, moved));
            double own = Outward.AddUp(Outward.MultiplyUp(assumption.ActivationError, scale), Math.ScaleB(1, -126));
            result[k] = Outward.AddUp(through, own);
        }
    }

    // The error of each row of W z^ + b: what comes in, and what their roundings to 24 bits add; infinite where a number on the way may overflow.
    private static double[] Sums(BranchNetwork network, DenseStage stage, Interval[] slices, double[] errors)
    {
        int n = stage.PatchLength;
        double nu = (n + WinogradSizes.Roundings) * Math.ScaleB(1, -24), gamma = nu < 1 ? Outward.DivideUp(nu, Outward.SubtractDown(1, nu)) : double.PositiveInfinity;
        var result = new double[network.Pixels * stage.Outputs];
        bool isFiltered = stage.Kernel == WinogradKernel;
        double[]? tapSums = isFiltered ? TapSums(stage) : null;
        double[] sizes = isFiltered ? [.. slices.Zip(errors, (value, error) => Outward.AddUp(value.Magnitude, error))] : [];
        double[]? filtered = isFiltered ? WinogradSizes.Of(network, stage, sizes) : null;
        double onTheWay = isFiltered ? WinogradSizes.Largest(stage.Inputs, stage.Weight.Max(Math.Abs), sizes.Max()) : 0;
        SymmetricMatrix.Loop(network.Pixels, true, pixel =>
        {
            var values = new Interval[n];
            var incoming = new double[n];
            network.Patch(stage, pixel, slices, default, values);
            network.Patch(stage, pixel, errors, 0, incoming);
            for (int i = 0; i < stage.Outputs; i++)
            {
                double size = Math.Abs(stage.Bias[i]), error = 0;
                for (int k = 0; k < n && tapSums is not null; k++)
                {
                    double term = Outward.MultiplyUp(tapSums[(i * stage.Inputs) + (k % stage.Inputs)], Outward.AddUp(values[k].Magnitude, incoming[k]));
                    size = Outward.AddUp(size, 4 * term);
                }

                for (int k = 0; k < n; k++)
                {
                    double w = Math.Abs(stage.Weight[(i * n) + k]);
                    if (w != 0)
                    {
                        size = tapSums is not null ? size : Outward.AddUp(size, Outward.MultiplyUp(w, Outward.AddUp(values[k].Magnitude, incoming[k])));
                        error = Outward.AddUp(error, Outward.MultiplyUp(w, incoming[k]));
                    }
                }

                size = filtered is null ? size : Math.Max(size, Outward.AddUp(Math.Abs(stage.Bias[i]), filtered[(pixel * stage.Outputs) + i]));
                double own = Outward.AddUp(Outward.MultiplyUp(gamma, size), n * Math.ScaleB(1, -149));
                double reached = Outward.AddUp(Outward.MultiplyUp(size, Outward.AddUp(1, gamma)), own);
                result[(pixel * stage.Outputs) + i] = Math.Max(reached, onTheWay) <= float.MaxValue ? Outward.AddUp(error, own) : double.PositiveInfinity;
            }
        });
        return result;
    }

    // At least the sum of |W| over the taps [Outputs, Inputs].
    private static double[] TapSums(DenseStage stage)
    {
        var sums = new double[stage.Outputs * stage.Inputs];
        for (int k = 0; k < stage.Weight.Length; k++)
        {
            ref double sum = ref sums[(k / stage.PatchLength * stage.Inputs) + (k % stage.Inputs)];
            sum = Outward.AddUp(sum, Math.Abs(stage.Weight[k]));
        }

        return sums;
    }
}
