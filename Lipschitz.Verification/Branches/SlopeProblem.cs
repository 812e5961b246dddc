using Lipschitz.Backends;
using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Branches;

/// <summary>
/// A branch in terms of v = [x; a] with one entry of a for each neuron: preactivations P v, output G v, both up to constants.
/// </summary>
/// <remarks>
/// CLipSwish has two outputs a neuron, but LipSwish(-z) = LipSwish(z) - z/1.1, so with a = LipSwish(z) its slices are a/1.004 and
/// (a - z/1.1)/1.004: one nonlinearity and a linear map, which keeps the coupling of the two slopes.
/// </remarks>
internal sealed class SlopeProblem
{
    private SlopeProblem(int inputWidth, int[] starts, IntervalMatrix pre, IntervalMatrix output, Interval[] slopes) =>
        (InputWidth, Starts, Pre, Output, Slopes) = (inputWidth, starts, pre, output, slopes);

    /// <summary>Columns of x.</summary>
    public int InputWidth { get; }

    /// <summary>The first neuron of each stage; the last entry is their number.</summary>
    public int[] Starts { get; }

    /// <summary>P [neurons, v]: row i is zero from column InputWidth + i on.</summary>
    public IntervalMatrix Pre { get; }

    /// <summary>G [out, v].</summary>
    public IntervalMatrix Output { get; }

    /// <summary>[alpha, beta] of each neuron.</summary>
    public Interval[] Slopes { get; }

    public int Neurons => Starts[^1];

    /// <summary>The same with slopes in one interval for all neurons.</summary>
    public SlopeProblem With(Interval slopes) => new(InputWidth, Starts, Pre, Output, [.. Slopes.Select(_ => slopes)]);

    public int Width => InputWidth + Neurons;

    /// <summary>Makes the problem; null when some nonlinearity couples neurons, and on pictures.</summary>
    public static SlopeProblem? From(BranchNetwork network)
    {
        if (network.Pixels > 1 || network.Stages.Any(stage => stage.Kernel > 1 || stage.Function == Activation.MaxMin))
        {
            return null;
        }

        int neurons = network.Stages.Sum(stage => stage.Outputs), width = network.InputWidth + neurons, done = 0;
        var pre = new IntervalMatrix(neurons, width);
        var slopes = new Interval[neurons];
        var starts = new List<int> { 0 };
        foreach (DenseStage stage in network.Stages)
        {
            Activation function = stage.Function == Activation.CLipSwish ? Activation.LipSwish : stage.Function;
            for (int i = 0; i < stage.Outputs; i++)
            {
                Expand(network, stage, i, pre, pre.Row(done + i));
                slopes[done + i] = ActivationBound.Slopes(function);
            }

            done += stage.Outputs;
            starts.Add(done);
        }

        var output = new IntervalMatrix(network.Last.Outputs, width);
        for (int i = 0; i < network.Last.Outputs; i++)
        {
            Expand(network, network.Last, i, pre, output.Row(i));
        }

        return new(network.InputWidth, [.. starts], pre, output, slopes);
    }

    // Row i of the stage's weight, on raw slices, becomes a row on v.
    private static void Expand(BranchNetwork network, DenseStage stage, int i, IntervalMatrix pre, Span<Interval> row)
    {
        ReadOnlySpan<double> weight = stage.Weight.AsSpan(i * stage.Inputs, stage.Inputs);
        for (int k = 0; k < network.InputWidth; k++)
        {
            row[k] += weight[k];
        }

        Interval first = 1 / SwishConstants.CLipSwishDivisor;
        Interval second = 1 / (SwishConstants.CLipSwishDivisor * SwishConstants.LipSwishDivisor);
        int at = network.InputWidth, neuron = 0;
        foreach (DenseStage slice in network.Stages)
        {
            if (at >= stage.Inputs)
            {
                break;
            }

            bool mirrored = slice.Function == Activation.CLipSwish;
            for (int k = 0; k < slice.Outputs; k++)
            {
                double direct = weight[at + k], mirror = mirrored ? weight[at + slice.Outputs + k] : 0;
                Interval coefficient = mirrored ? ((Interval)direct + mirror) * first : direct;
                row[network.InputWidth + neuron + k] += coefficient;
                if (mirror != 0)
                {
                    IntervalMatrix.AddMultiple(row, -(mirror * second), pre.Row(neuron + k));
                }
            }

            at += slice.SliceWidth;
            neuron += slice.Outputs;
        }
    }
}
