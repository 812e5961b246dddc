using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Inverse;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Tests;

/// <summary>The running bound of evaluations in single precision, output by output, where the backend filters tiles of 4 x 4 pixels.</summary>
public class EvaluationErrorTests(ITestOutputHelper output)
{
    private const int Side = 24, Channels = 16;

    public static TheoryData<int, int> TilePixels => new(Enumerable.Range(0, 16).Select(k => (8 + (k / 4), 12 + (k % 4))));

    // Nothing but rounding is left at a pixel whose neighbours are 0, and its size is that of other pixels of the tile.
    [Theory, MemberData(nameof(TilePixels))]
    public void An_output_without_inputs_is_off_by_the_rounding_of_its_tile(int row, int column)
    {
        var random = new Random(1);
        double[] x = new double[Side * Side * Channels];
        for (int i = 0; i < x.Length; i++)
        {
            int y = i / Channels / Side, at = i / Channels % Side;
            bool isOfTile = y is >= 7 and <= 12 && at is >= 11 and <= 16, isOfPatch = Math.Abs(y - row) <= 1 && Math.Abs(at - column) <= 1;
            x[i] = isOfTile && !isOfPatch ? (float)((2 * random.NextDouble()) - 1) : 0;
        }

        (double[] errors, double[] bounds) = Measure(x, random, bias: 0);
        int pixel = ((row * Side) + column) * Channels;
        double error = errors.AsSpan(pixel, Channels).ToArray().Max();
        output.WriteLine($"error {error:E2}, bound {bounds.AsSpan(pixel, Channels).ToArray().Max():E2}");
        Assert.True(error > 1e-9); // else the backend does something else, and this test nothing
        Assert.All(errors.Zip(bounds), pair => Assert.True(pair.First <= pair.Second, $"{pair}"));
    }

    [Fact]
    public void Random_pictures_are_within_the_bound_and_not_absurdly_far()
    {
        var random = new Random(2);
        double[] x = [.. Enumerable.Range(0, Side * Side * Channels).Select(_ => (double)(float)((2 * random.NextDouble()) - 1))];
        (double[] errors, double[] bounds) = Measure(x, random, bias: 1);
        output.WriteLine($"largest error {errors.Max():E2}, of bounds {bounds.Min():E2} to {bounds.Max():E2}");
        Assert.All(errors.Zip(bounds), pair => Assert.True(pair.First <= pair.Second, $"{pair}"));
        Assert.True(bounds.Max() < 1e-2);
    }

    // z = x0 + x1 = 0, computed as m; a ReLU that is off by |phi(m)| + |m| gives 3 m.
    [Fact]
    public void An_activation_is_off_relative_to_what_it_is_computed_of()
    {
        BranchNetwork network = BranchNetwork.Create(
            2, [new DenseStage([1, 1], [0], 1, 2, Activation.ReLU, [])], new DenseStage([0, 0, 1], [0], 1, 3, Activation.Identity, []));
        double moved = (2 + WinogradSizes.Roundings) * Math.ScaleB(1, -24) * 2; // what is granted to the sum of 1 and -1
        Assert.InRange(EvaluationError.Bound(network, [1, -1], new(ActivationError: 1)), 3 * moved, 3.001 * moved);
    }

    [Fact]
    public void Where_single_precision_may_overflow_there_is_no_bound()
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        var layer = new Linear(backend, "a", 1, 1, Normalisation.None, new RandomKey(1, default, 0, 0));
        backend.Upload([2], layer.EffectiveWeight);
        backend.Upload([0], layer.Bias);
        BranchNetwork network = BranchNetwork.From(layer)!;
        Assert.True(double.IsFinite(EvaluationError.Bound(network, [(float)1.6e38], new())));
        Assert.Equal(double.PositiveInfinity, EvaluationError.Bound(network, [(float)2e38], new()));

        // In tiles of 4 x 4 numbers on the way are far larger than the sums.
        var random = new Random(4);
        double[] x = new double[Side * Side * Channels];
        foreach (float large in (float[])[1e37f, 5e34f])
        {
            Array.Fill(x, large);
            (double[] errors, double[] bounds) = Measure(x, random, bias: 0);
            Assert.All(errors.Zip(bounds), pair => Assert.True(pair.First <= pair.Second, $"{pair}"));
            Assert.All(bounds, bound => Assert.Equal(double.PositiveInfinity, bound));
        }

        Array.Fill(x, (float)1e33);
        Assert.All(Measure(x, random, bias: 0).Bounds, bound => Assert.True(double.IsFinite(bound)));
    }

    // A' [(G g) . (B' d)] of unit taps and pixels is the convolution.
    [Fact]
    public void The_transforms_make_a_convolution()
    {
        for (int pixel = 0; pixel < 6; pixel++)
        {
            for (int tap = 0; tap < 3; tap++)
            {
                for (int at = 0; at < 4; at++)
                {
                    double sum = Enumerable.Range(0, 6).Sum(p => WinogradSizes.Output[at, p] * WinogradSizes.Weight[p, tap] * WinogradSizes.Input[p, pixel]);
                    Assert.Equal(pixel == at + tap ? 1 : 0, sum, 1e-14);
                }
            }
        }
    }

    // Of each output of one convolution: what single precision is off by, and the bound.
    private static (double[] Errors, double[] Bounds) Measure(double[] x, Random random, double bias)
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        var layer = new Convolution(
            backend, "a", new ImageShape(Side, Side, Channels), Channels, 3, Normalisation.None, new RandomKey(1, default, 0, 0));
        double[] Draw(int count, double largest) => [.. Enumerable.Range(0, count).Select(_ => largest * ((2 * random.NextDouble()) - 1))];
        backend.Upload(Draw(9 * Channels * Channels, 0.1), layer.EffectiveWeight);
        backend.Upload(Draw(Channels, bias), layer.Bias);
        layer.Pack();
        var workspace = new Workspace(backend);
        Tensor input = workspace.Rent(1, layer.InputWidth), result = workspace.Rent(1, layer.OutputWidth);
        backend.Upload(x, input);
        layer.Forward(input, result, workspace);
        var computed = new double[layer.OutputWidth];
        backend.Download(result, computed);
        BranchNetwork network = BranchNetwork.From(layer)!;
        Interval[] enclosed = NetworkEnclosure.Value(network, [.. x.Select(Interval.FromDouble)]);
        return ([.. enclosed.Select((y, i) => (y - computed[i]).Magnitude)], EvaluationError.OfOutputs(network, x, new()));
    }
}
