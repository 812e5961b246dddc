using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Falsification;
using Lipschitz.Verification.Inverse;
using Lipschitz.Verification.Rounding;
using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Verification.Tests;

/// <summary>Bounds and enclosures of branches and flows on tiny pictures, against full Jacobians and searches.</summary>
public class PictureTests(ITestOutputHelper output)
{
    private static readonly ImageShape s_shape = new(4, 3, 2);
    private static readonly double[] s_norms = [1, 1.5, 2, 3, double.PositiveInfinity];

    public static TheoryData<string, Activation> Branches
    {
        get
        {
            var data = new TheoryData<string, Activation>();
            foreach (Activation f in new[] { Activation.Identity, Activation.LipSwish, Activation.CLipSwish, Activation.MaxMin, Activation.ReLU })
            {
                foreach (string kind in new[] { "dense", "chain", "first" })
                {
                    data.Add(kind, f);
                }
            }

            return data;
        }
    }

    public static TheoryData<string> Flows => ["dense", "dense, CLipSwish", "dense, factored out", "residual", "residual, squeezed first"];

    [Theory, MemberData(nameof(Branches))]
    public void Products_are_above_full_Jacobians_and_searches(string kind, Activation f)
    {
        for (int seed = 0; seed < 3; seed++)
        {
            using IBackend backend = ReferenceBackend.Create(Precision.Float64);
            ILayer branch = Branch(backend, kind, f, seed);
            BranchProof proof = BranchBound.Prove(branch, 2, tight: false);
            Matrix<double> jacobian = Jacobian(backend, branch, Draw(new Random(seed), branch.InputWidth));
            double norm = jacobian.Svd(computeVectors: false).S[0], found = Falsifier.Search(branch, backend, new(200, (ulong)seed)).Value;
            output.WriteLine($"{kind} {f} {seed}: one Jacobian {norm:F4}, found {found:F4}, product {proof.Product:F4}, Core {branch.Bound(2):F4}");
            Assert.True(norm <= proof.Product * (1 + 1e-12));
            Assert.True(found <= proof.Product * (1 + Falsifier.Tolerance));
            Assert.True(proof.Product <= branch.Bound(2) * 1.01); // another grid may be better, none is much worse
            foreach (double p in s_norms)
            {
                double bound = BranchBound.Prove(branch, p, tight: false).Product;
                double least = p == 1 ? jacobian.L1Norm() : double.IsPositiveInfinity(p) ? jacobian.InfinityNorm() : 0;
                Assert.True(bound >= least && bound <= branch.Bound(p) * 1.01, $"{p}: {bound}, Core {branch.Bound(p)}");
            }
        }
    }

    [Fact]
    public void A_convolution_is_bounded_narrowly()
    {
        using IBackend backend = ReferenceBackend.Create(Precision.Float32);
        var layer = new Convolution(backend, "a", new ImageShape(6, 6, 3), 5, 3, Normalisation.None, new RandomKey(1, default, 0, 0));
        double norm = Jacobian(backend, layer, new double[108]).Svd(computeVectors: false).S[0];
        Assert.InRange(BranchBound.Prove(layer).Product, norm * (1 - 1e-6), norm * (1 + 1e-6)); // small enough to be written out
        Assert.InRange(BranchBound.Prove(layer, 1).Product, layer.Bound(1) * (1 - 1e-6), layer.Bound(1) * (1 + 1e-6));
    }

    [Fact]
    public void A_stretch_above_a_planted_bound_is_found()
    {
        using IBackend backend = ReferenceBackend.Create(Precision.Float64);
        ILayer branch = Branch(backend, "dense", Activation.LipSwish, 1);
        double bound = BranchBound.Prove(branch, 2, tight: false).Product;
        Tensor last = branch.EffectiveWeights[^1].Value;
        backend.Axpby(3, last, 0, last);
        Assert.True(Falsifier.Search(branch, backend, new(100)).Value > bound);
    }

    [Fact]
    public void A_search_on_wide_pictures_with_few_points_is_cheap()
    {
        using IBackend backend = CpuBackend.Create(Precision.Float64, 1);
        var net = new DenseNet(
            backend, "g", new ImageShape(32, 32, 3), 3, 3, 2, 4, Activation.LipSwish, true, 0.98, Normalisation.Spectral(0.9),
            new RandomKey(1, default, 0, 0));
        net.UpdateNorms(5, 0);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        LowerBound found = Falsifier.Search(net, backend, new(10));
        output.WriteLine($"{found.Value:F4} by {found.Method} in {clock.Elapsed.TotalSeconds:F1} s");
        Assert.InRange(found.Value, 0.05, BranchBound.Prove(net, 2, tight: false).Product);
        Assert.True(clock.Elapsed.TotalSeconds < 60);
    }

    [Theory, MemberData(nameof(Branches))]
    public void Branches_are_enclosed_with_their_Jacobians_and_evaluations(string kind, Activation f)
    {
        using IBackend exact = ReferenceBackend.Create(Precision.Float64), single = CpuBackend.Create(Precision.Float32, 1);
        ILayer branch = Branch(exact, kind, f, 7), narrow = Branch(single, kind, f, 7);
        BranchNetwork network = BranchNetwork.From(branch)!, narrowNetwork = BranchNetwork.From(narrow)!;
        double[] x = Draw(new Random(1), branch.InputWidth);
        Interval[] points = [.. x.Select(Interval.FromDouble)];
        Near(NetworkEnclosure.Value(network, points), Evaluate(exact, branch, x), 1e-12);
        double[] computed = Evaluate(single, narrow, x);
        Interval[] enclosed = NetworkEnclosure.Value(narrowNetwork, points);
        double error = Math.Sqrt(enclosed.Select((y, i) => Math.Pow((y - computed[i]).Magnitude, 2)).Sum());
        Assert.InRange(error, 0, EvaluationError.Bound(narrowNetwork, x, new()));
        if (f != Activation.MaxMin)
        {
            Matrix<double> jacobian = Jacobian(exact, branch, x);
            Interval[,] all = NetworkEnclosure.ValueAndJacobian(network, points).Jacobian;
            for (int i = 0; i < jacobian.RowCount; i++)
            {
                Near([.. Enumerable.Range(0, jacobian.ColumnCount).Select(j => all[i, j])], jacobian.Row(i).ToArray(), 1e-12);
            }
        }
    }

    [Fact]
    public void Evaluations_with_enough_channels_for_fast_convolutions_stay_within_the_running_bound()
    {
        using IBackend single = CpuBackend.Create(Precision.Float32, 1);
        var net = new DenseNet(
            single, "g", new ImageShape(8, 7, 16), 16, 3, 2, 20, Activation.CLipSwish, true, 0.98, Normalisation.Spectral(0.98), new RandomKey(1, default, 0, 0));
        net.UpdateNorms(50, 0);
        net.Prepare();
        BranchNetwork network = BranchNetwork.From(net)!;
        double[] x = Draw(new Random(1), net.InputWidth), computed = Evaluate(single, net, x);
        Interval[] enclosed = NetworkEnclosure.Value(network, [.. x.Select(Interval.FromDouble)]);
        double error = Math.Sqrt(enclosed.Select((y, i) => Math.Pow((y - computed[i]).Magnitude, 2)).Sum()), bound = EvaluationError.Bound(network, x, new());
        output.WriteLine($"error {error:E2}, bound {bound:E2}");
        Assert.InRange(error, 1e-9, bound);
        Assert.True(bound < 1); // absolute sums: each layer multiplies the errors of those before it by some ten
    }

    [Theory, MemberData(nameof(Flows))]
    public void Flows_are_enclosed_and_their_inverses_bounded(string name)
    {
        using IBackend exact = ReferenceBackend.Create(Precision.Float64);
        Flow flow = NewFlow(exact, name);
        var enclosure = new FlowEnclosure(flow);
        Assert.All(enclosure.Proofs, proof => Assert.True(proof.IsContraction));
        var random = new Random(3);
        for (int k = 0; k < 3; k++)
        {
            double[] x = [.. Draw(random, 16).Select(value => 1 / (1 + Math.Exp(-2 * value)))], other = [.. x.Select(value => 0.5 + (0.9 * (value - 0.5)))];
            double[] z = flow.Forward(x), w = flow.Forward(other);
            Near(enclosure.Forward(x), z, 1e-10);
            double density = flow.LogProb(x, new ExactDeterminant()).Values[0];
            Interval bounds = enclosure.LogDensity(x);
            Assert.True(bounds.Radius < 1e-6 && Math.Abs(bounds.Middle - density) <= bounds.Radius + 1e-9, $"{bounds} {density}");
            double stretch = Distance(z, w) / Distance(x, other);
            Assert.InRange(stretch, 1 / enclosure.Constants.Inverse, enclosure.Constants.Forward);
            double[] found = [.. flow.Inverse(z, 1e-3).Points];
            double bound = enclosure.InverseError(found, z);
            Assert.True(Distance(found, x) <= bound + 1e-12, $"{Distance(found, x)} {bound}");
            Assert.True(bound < 100 * enclosure.Constants.Inverse * enclosure.Constants.Forward);
        }

        double[] outside = new double[16];
        outside[3] = 1.06; // s = 1.004
        Assert.Equal(double.PositiveInfinity, enclosure.InverseError(outside, new double[16]));
        Assert.Throws<ArgumentOutOfRangeException>(() => enclosure.Forward(outside));
    }

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum());

    private static void Near(Interval[] enclosed, double[] computed, double tolerance)
    {
        Assert.Equal(enclosed.Length, computed.Length);
        for (int i = 0; i < computed.Length; i++)
        {
            double size = 1 + Math.Abs(computed[i]);
            Assert.True(enclosed[i].Radius <= tolerance * size && Math.Abs(enclosed[i].Middle - computed[i]) <= tolerance * size, $"{i}: {enclosed[i]} {computed[i]}");
        }
    }

    private static ILayer Branch(IBackend backend, string kind, Activation f, int seed)
    {
        var key = new RandomKey((ulong)seed, default, 0, 0);
        Normalisation normalisation = Normalisation.Spectral(0.97);
        ILayer branch;
        switch (kind)
        {
            case "dense":
                branch = new DenseNet(backend, "g", s_shape, 2, 3, 2, 4, f, true, 0.98, normalisation, key);
                break;
            case "first":
                branch = new Sequential(
                    new Linear(backend, "a", s_shape.Count, 6, normalisation, key),
                    new DenseNet(backend, "g", new ImageShape(1, 1, 6), s_shape.Count, 1, 2, 4, f, true, 0.98, normalisation, key));
                break;
            default:
                var first = new ActivationLayer(backend, "a", f, s_shape.Channels, s_shape.Pixels);
                ImageShape Wide(int channels) => s_shape with { Channels = f.OutputColumns(channels) };
                branch = new Sequential(
                    first, new Convolution(backend, "a", Wide(2), 6, 3, normalisation, key),
                    new ActivationLayer(backend, "b", f, 6, s_shape.Pixels),
                    new Convolution(backend, "b", Wide(6), 4, 1, normalisation, key with { Step = 1 }),
                    new ActivationLayer(backend, "c", f, 4, s_shape.Pixels),
                    new Convolution(backend, "c", Wide(4), 2, 3, normalisation, key with { Step = 2 }));
                break;
        }

        Perturb(backend, branch.Parameters, seed);
        branch.UpdateNorms(300, 0);
        branch.Prepare();
        return branch;
    }

    // Weights so large that normalisation binds, and other factors of the concatenation.
    private static void Perturb(IBackend backend, IReadOnlyList<Parameter> parameters, int seed)
    {
        var random = new Random(seed);
        foreach (Parameter parameter in parameters)
        {
            var values = new double[parameter.Value.Count];
            backend.Download(parameter.Value, values);
            if (parameter.Role == ParameterRole.Weight)
            {
                backend.Upload([.. values.Select(w => 3 * w)], parameter.Value);
            }
            else if (parameter.Role is ParameterRole.Concatenation or ParameterRole.ActNorm)
            {
                backend.Upload([.. values.Select(_ => random.NextDouble() - 0.5)], parameter.Value);
            }
        }
    }

    private static Flow NewFlow(IBackend backend, string name)
    {
        bool isDense = name.StartsWith("dense", StringComparison.Ordinal);
        Configuration preset = Presets.Load(isDense ? "idensenet-lc" : "resflow", PresetFamily.Mnist);
        ImageSettings image = preset.Model.Image! with
        {
            Height = 4,
            Width = 4,
            Channels = 1,
            Logit = 0.05,
            Blocks = name.EndsWith("first", StringComparison.Ordinal) ? [2] : [1, 1],
            FirstSqueezes = name.EndsWith("first", StringComparison.Ordinal) ? 1 : 0,
            FactorOut = name.EndsWith("out", StringComparison.Ordinal),
            FullyConnected = 1,
            FullyConnectedWidth = 3,
            FullyConnectedDepth = 1,
            FullyConnectedGrowth = 2,
            FullyConnectedHidden = [3],
        };
        ModelSettings model = preset.Model with
        {
            Depth = 2,
            Growth = 2,
            Hidden = [3, 2],
            Image = image,
            Coefficient = 0.9,
            Activation = name.EndsWith("CLipSwish", StringComparison.Ordinal) ? Activation.CLipSwish : Activation.LipSwish,
        };
        Flow flow = FlowFactory.Create(preset with { Model = model }, 16, backend);
        Perturb(backend, flow.Parameters, 5);
        flow.UpdateNorms(300);
        return flow;
    }

    private static double[] Draw(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (double)(float)((4 * random.NextDouble()) - 2))];

    private static double[] Evaluate(IBackend backend, ILayer layer, double[] x)
    {
        var workspace = new Workspace(backend);
        Tensor input = workspace.Rent(1, layer.InputWidth), result = workspace.Rent(1, layer.OutputWidth);
        backend.Upload(x, input);
        layer.Forward(input, result, workspace);
        var values = new double[layer.OutputWidth];
        backend.Download(result, values);
        return values;
    }

    // Column by column.
    private static Matrix<double> Jacobian(IBackend backend, ILayer layer, double[] x)
    {
        int d = layer.InputWidth;
        var workspace = new Workspace(backend);
        Tensor input = workspace.Rent(d, d), direction = workspace.Rent(d, d), image = workspace.Rent(d, layer.OutputWidth);
        backend.Upload([.. Enumerable.Repeat(x, d).SelectMany(row => row)], input);
        backend.Upload([.. Enumerable.Range(0, d * d).Select(k => k % (d + 1) == 0 ? 1.0 : 0)], direction);
        Linearization at = layer.CreateLinearization();
        at.Evaluate(input, d, workspace);
        at.PrepareProducts(workspace);
        at.Jvp(direction, image, workspace);
        var values = new double[image.Count];
        backend.Download(image, values);
        return Matrix<double>.Build.Dense(layer.OutputWidth, d, (i, j) => values[(j * layer.OutputWidth) + i]);
    }
}
