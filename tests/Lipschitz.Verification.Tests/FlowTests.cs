using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Inverse;
using Lipschitz.Verification.LogDet;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Tests;

public class FlowTests(ITestOutputHelper output)
{
    [Fact]
    public void Nonlinearities_are_enclosed_narrowly()
    {
        using IBackend backend = ReferenceBackend.Create(Precision.Float64);
        double[] points = [-800, -30, -3, -1, -0.5, -1e-9, 0, 1e-300, 0.3, 1, 2.5, 20, 50, 900];
        foreach (Activation f in Enum.GetValues<Activation>())
        {
            double[] scalars = f.InitialParameters();
            Tensor parameters = backend.Allocate(1, scalars.Length), x = backend.Allocate(1, points.Length);
            Tensor y = backend.Allocate(1, f.OutputColumns(points.Length));
            backend.Upload(scalars, parameters);
            backend.Upload(points, x);
            backend.Activate(f, parameters, x, 1, y);
            var computed = new double[y.Columns];
            backend.Download(y, computed);
            Interval[] enclosed = IntervalActivation.Value(f, scalars, [.. points.Select(Interval.FromDouble)]);
            for (int i = 0; i < computed.Length; i++)
            {
                double size = Math.Abs(points[i % points.Length]) + Math.Abs(computed[i]);
                Assert.True(enclosed[i].Radius <= 1e-12 * size + 1e-15, $"{f} at {points[i % points.Length]}: {enclosed[i]}");
                Assert.True(Math.Abs(enclosed[i].Middle - computed[i]) <= enclosed[i].Radius + (1e-14 * size), $"{f} at {points[i % points.Length]}");
            }
        }
    }

    [Fact]
    public void Log_determinants_are_enclosed()
    {
        Interval[,] jacobian = { { 0.3, -0.4 }, { 0.5, 0.1 } };
        Interval enclosure = LogDetBound.FromJacobian(jacobian, 0.8);
        Assert.True(enclosure.Contains(Math.Log((1.3 * 1.1) + 0.2)) && enclosure.Radius < 1e-15 * 10);
        Interval rough = LogDetBound.FromLipschitz(2, 0.5);
        Assert.InRange(rough.Lower, (2 * Math.Log(0.5)) - 1e-14, 2 * Math.Log(0.5));
        Assert.InRange(LogDetBound.Truncation(3, 0.5, 4), 3 / 32.0 / 5 / 0.5, (3 / 32.0 / 5 / 0.5) + 1e-15);
        Assert.Throws<ArgumentOutOfRangeException>(() => LogDetBound.FromLipschitz(2, 1));
    }

    [Theory]
    [InlineData("quick", true, 30)]
    [InlineData("resflow", false, 3)]
    public void Log_densities_and_inverses_of_a_flow_are_within_their_bounds(string preset, bool tight, int count)
    {
        Flow single = Create(preset, Precision.Float32);
        var clock = Stopwatch.StartNew();
        var enclosure = new FlowEnclosure(single, tight);
        TimeSpan proving = clock.Elapsed;
        Assert.All(enclosure.Proofs, proof => Assert.True(proof.IsContraction));
        var random = new Random(1);
        double[] points = [.. Enumerable.Range(0, 2 * count).Select(_ => (double)(float)((4 * random.NextDouble()) - 2))];
        double[] latents = [.. single.Forward(points).Select(z => (double)(float)z)];
        IReadOnlyList<double> logProb = single.LogProb(points, new ExactDeterminant()).Values;
        InverseReport inverse = single.Inverse(latents);
        double worstInverse = 0, largestBound = 0, widest = 0, worstLogProb = 0;
        clock.Restart();
        for (int i = 0; i < count; i++)
        {
            double[] x = points[(2 * i)..((2 * i) + 2)], z = latents[(2 * i)..((2 * i) + 2)];
            Interval density = enclosure.LogDensity(x);
            widest = Math.Max(widest, density.Radius);
            worstLogProb = Math.Max(worstLogProb, Math.Abs(density.Middle - logProb[i]));

            double[] found = inverse.Points[(2 * i)..((2 * i) + 2)];
            double bound = enclosure.InverseError(found, z);
            double[] truth = DoubleInverse(enclosure, single, z);
            double error = Math.Sqrt(Math.Pow(found[0] - truth[0], 2) + Math.Pow(found[1] - truth[1], 2));
            Assert.True(error <= bound + 1e-13, $"point {i}: {error:E2} > {bound:E2}");
            (worstInverse, largestBound) = (Math.Max(worstInverse, error), Math.Max(largestBound, bound));
        }

        output.WriteLine(
            $"{preset}: {enclosure.Proofs.Count} blocks proven in {proving.TotalSeconds:F2} s (tight {enclosure.Proofs.Average(p => p.Tight?.Bound):F3}, "
            + $"product {enclosure.Proofs.Average(p => p.Product):F4}), inverse error {worstInverse:E2} bound {largestBound:E2}, "
            + $"log p off by {worstLogProb:E2}, half-width {widest:E2}; {clock.Elapsed.TotalMilliseconds / count:F2} ms a point");
        Assert.True(widest < 1e-6 && worstLogProb < 1e-3); // intervals widen from block to block: 3e-8 after 24
        Assert.True(largestBound < 1e-2);
    }

    [Fact]
    public void Single_precision_evaluations_stay_within_the_running_bound()
    {
        foreach (Activation f in Enum.GetValues<Activation>())
        {
            using IBackend backend = CpuBackend.Create(Precision.Float32);
            var net = new DenseNet(backend, "g", 2, 3, 32, f, true, 0.98, Normalisation.Spectral(0.98), new RandomKey(1, default, 0, 0));
            BranchNetwork network = BranchNetwork.From(net)!;
            var workspace = new Workspace(backend);
            var random = new Random(2);
            double worst = 0;
            for (int k = 0; k < 100; k++)
            {
                workspace.Reset();
                double[] x = [(float)((8 * random.NextDouble()) - 4), (float)((8 * random.NextDouble()) - 4)];
                Tensor input = workspace.Rent(1, 2), result = workspace.Rent(1, 2);
                backend.Upload(x, input);
                net.Forward(input, result, workspace);
                var computed = new double[2];
                backend.Download(result, computed);
                Interval[] exact = NetworkEnclosure.Value(network, [.. x.Select(Interval.FromDouble)]);
                double error = Math.Sqrt(Math.Pow((exact[0] - computed[0]).Magnitude, 2) + Math.Pow((exact[1] - computed[1]).Magnitude, 2));
                double bound = EvaluationError.Bound(network, x, new());
                worst = Math.Max(worst, error / bound);
                Assert.True(error <= bound, $"{f}: {error} > {bound}");
                Assert.True(bound < 1e-3);
            }

            output.WriteLine($"{f}: largest error/bound {worst:F3}");
        }
    }

    [Fact]
    public void A_step_length_of_iterations_is_no_error_but_our_bound_is()
    {
        // g(x) = -0.98 x, y = 1: the reference's rule stops where x differs from the solution 1/0.02.. by 0.218.
        BiLipschitz constants = BiLipschitz.Residual(0.98);
        double x = 0, previous;
        do
        {
            previous = x;
            x = 1 + (0.98 * x);
        }
        while (Math.Abs(x - previous) > 0.005);

        double error = Math.Abs(x - 50), bound = constants.Inverse * Math.Abs(x - (0.98 * x) - 1);
        Assert.InRange(error, 0.2, 0.25);
        Assert.InRange(bound, error * (1 - 1e-9), error * 1.001);
    }

    private static Flow Create(string preset, Precision precision)
    {
        Flow flow = FlowFactory.Create(Presets.Load(preset), 2, CpuBackend.Create(precision));
        flow.UpdateNorms(100);
        return flow;
    }

    // Fixed points in double to the last digit, from the middles of enclosures.
    private static double[] DoubleInverse(FlowEnclosure enclosure, Flow flow, double[] z)
    {
        double[] y = z;
        foreach (IBijection bijection in flow.Bijections.Reverse())
        {
            if (bijection is ActNorm norm)
            {
                double[] shift = BranchNetwork.Numbers(norm.Shift), logScale = BranchNetwork.Numbers(norm.LogScale);
                y = [.. y.Select((value, i) => (value * Math.Exp(-logScale[i])) - shift[i])];
                continue;
            }

            BranchNetwork network = BranchNetwork.From(((ResidualBlock)bijection).Branch)!;
            double[] x = y;
            for (int k = 0; k < 200; k++)
            {
                Interval[] g = NetworkEnclosure.Value(network, [.. x.Select(Interval.FromDouble)]);
                double[] next = [.. y.Select((value, i) => value - g[i].Middle)];
                double step = Math.Abs(next[0] - x[0]) + Math.Abs(next[1] - x[1]);
                x = next;
                if (step < 1e-15)
                {
                    break;
                }
            }

            y = x;
        }

        return y;
    }
}
