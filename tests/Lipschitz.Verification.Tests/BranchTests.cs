using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Verification.Branches;
using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Verification.Tests;

public class BranchTests(ITestOutputHelper output)
{
    [Fact]
    public void Concatenation_is_attained_for_every_p()
    {
        Assert.Equal(0.7, ConcatenationBound.Prove(1, 0.3, 0.4), 1e-15);
        Assert.InRange(ConcatenationBound.Prove(2, 0.3, 0.4), 0.5, 0.5 + 1e-15);
        Assert.Equal(0.4, ConcatenationBound.Prove(double.PositiveInfinity, 0.3, 0.4));
        foreach (double p in new[] { 1.1, 1.5, 3, 7.3, 200 })
        {
            double exact = Math.Pow(Math.Pow(0.3, p) + Math.Pow(0.4, p), 1 / p);
            Assert.InRange(ConcatenationBound.Prove(p, 0.3, 0.4), exact - 1e-15, exact + 1e-13);
        }
    }

    [Fact]
    public void Maps_of_a_flow_have_their_two_constants()
    {
        BiLipschitz norm = BiLipschitz.ActNorm([0.5, -1, 0.25]);
        Assert.InRange(norm.Forward, Math.Exp(0.5) - 1e-15, Math.Exp(0.5) + 1e-13);
        Assert.InRange(norm.Inverse, Math.E - 1e-15, Math.E + 1e-13);
        BiLipschitz logit = BiLipschitz.Logit(0.05);
        Assert.InRange(logit.Forward, (0.9 / 0.05 / 0.95) - 1e-13, (0.9 / 0.05 / 0.95) + 1e-12);
        Assert.InRange(logit.Inverse, (1 / 3.6) - 1e-15, (1 / 3.6) + 1e-14);
        BiLipschitz both = norm.Then(BiLipschitz.Residual(0.75));
        Assert.True(both.Inverse >= 4 * Math.E && both.Forward >= 1.75 * Math.Exp(0.5));
        Assert.Equal(double.PositiveInfinity, BiLipschitz.Residual(1).Inverse);
        Assert.Throws<ArgumentOutOfRangeException>(() => BiLipschitz.Logit(0));
    }

    [Theory]
    [InlineData(Activation.CLipSwish, true)]
    [InlineData(Activation.LipSwish, true)]
    [InlineData(Activation.ReLU, false)]
    [InlineData(Activation.LeakyLSwish, false)]
    [InlineData(Activation.Tanh, true)]
    [InlineData(Activation.MaxMin, false)]
    public void Dense_branches_are_bounded_above_every_sampled_Jacobian(Activation activation, bool learnable)
    {
        for (int seed = 0; seed < 4; seed++)
        {
            using IBackend backend = ReferenceBackend.Create(Precision.Float32);
            var net = new DenseNet(
                backend, "g", 2, 3, 16, activation, learnable, 0.98, Normalisation.Spectral(0.98), new RandomKey((ulong)seed, default, 0, 0));
            Perturb(backend, net, seed);
            var clock = Stopwatch.StartNew();
            BranchProof proof = BranchBound.Prove(net);
            double milliseconds = clock.Elapsed.TotalMilliseconds;
            double sampled = LargestSampledJacobian(BranchNetwork.From(net)!, seed);
            output.WriteLine(
                $"{activation} {seed}: sampled {sampled:F4} tight {proof.Tight?.Bound:F4} ({proof.Tight?.Steps}) product {proof.Product:F6} Core {net.Bound(2):F6}, {milliseconds:F0} ms");
            Assert.True(sampled <= proof.Bound);
            Assert.InRange(proof.Product, net.Bound(2) * (1 - 1e-5), net.Bound(2) * 1.002);
            Assert.Equal(activation != Activation.MaxMin, proof.Tight is not null);
            if (proof.Tight is { } tight)
            {
                Assert.True(tight.Bound < proof.Product);
                BranchNetwork network = BranchNetwork.From(net)!;
                Assert.True(MultiplierBound.Check(network, tight.Multipliers, tight.Rho));
                Assert.False(MultiplierBound.Check(network, tight.Multipliers, tight.Rho * (1 - 1e-4)));
                double[] negative = [.. tight.Multipliers];
                negative[3] = -1e-9;
                Assert.Throws<ArgumentException>(() => MultiplierBound.Check(network, negative, tight.Rho));
            }
        }
    }

    // L(x0) - L(x1) of two pixels; taken for one pixel of two channels it would be L(x0) - L(-x0) = x0.
    [Fact]
    public void Pairs_within_the_pixels_of_a_picture_are_not_taken_for_those_of_a_point()
    {
        using IBackend backend = ReferenceBackend.Create(Precision.Float64);
        var last = new Linear(backend, "b", 4, 1, Normalisation.None, new RandomKey(1, default, 0, 0));
        backend.Upload([1, 0, -1, 0], last.EffectiveWeight);
        last.Pack();
        var chain = new Sequential(new ActivationLayer(backend, "a", Activation.CLipSwish, channels: 1, pixels: 2), last);
        Assert.Null(BranchNetwork.From(chain));
        Assert.InRange(BranchBound.Prove(chain).Bound, Math.Sqrt(2) * 0.9958, 1.5);
        var points = new Sequential(new ActivationLayer(backend, "a", Activation.CLipSwish, channels: 2), last);
        Assert.NotNull(BranchNetwork.From(points));
        Assert.InRange(BranchBound.Prove(points).Bound, 1 / 1.1045, 1.1);
    }

    [Fact]
    public void Chains_and_dense_layers_are_bounded_and_agree_with_Core()
    {
        using IBackend backend = ReferenceBackend.Create(Precision.Float32);
        var key = new RandomKey(3, default, 0, 0);
        var chain = new Sequential(
            new Linear(backend, "a", 2, 24, Normalisation.Spectral(0.97), key, 4), new ActivationLayer(backend, "b", Activation.LipSwish, 24),
            new Linear(backend, "c", 24, 24, Normalisation.Spectral(0.97), key with { Step = 1 }, 4),
            new ActivationLayer(backend, "d", Activation.LipSwish, 24), new Linear(backend, "e", 24, 2, Normalisation.Spectral(0.97), key with { Step = 2 }, 4));
        BranchProof proof = BranchBound.Prove(chain);
        double sampled = LargestSampledJacobian(BranchNetwork.From(chain)!, 1);
        output.WriteLine($"chain: sampled {sampled:F4} tight {proof.Tight?.Bound:F4} product {proof.Product:F4}");
        Assert.InRange(sampled, 0, proof.Tight!.Bound);
        Assert.InRange(proof.Product, chain.Bound(2) * (1 - 1e-5), chain.Bound(2) * 1.002);

        var layers = new Sequential(
            new DenseLayer(backend, "f", 2, 8, Activation.ReLU, true, 0.98, Normalisation.Spectral(0.98), key),
            new DenseLayer(backend, "g", 10, 8, Activation.CLipSwish, true, 0.98, Normalisation.Spectral(0.98), key),
            new Linear(backend, "h", 26, 2, Normalisation.Spectral(0.98), key));
        foreach (double p in new[] { 1, 1.5, 2, 3, double.PositiveInfinity })
        {
            BranchProof dense = BranchBound.Prove(layers, p);
            Assert.InRange(dense.Product, layers.Bound(p) * (1 - 1e-5), layers.Bound(p) * 1.002);
            Assert.Null(dense.Tight);
        }
    }

    [Fact]
    public void Weights_in_double_precision_are_bounded_too()
    {
        using IBackend backend = ReferenceBackend.Create(Precision.Float64);
        var net = new DenseNet(
            backend, "g", 3, 2, 8, Activation.CLipSwish, true, 0.98, Normalisation.Spectral(0.98), new RandomKey(1, default, 0, 0));
        BranchProof proof = BranchBound.Prove(net);
        Assert.True(LargestSampledJacobian(BranchNetwork.From(net)!, 1) <= proof.Bound);
    }

    // Weights three times as large and other raw factors, so that normalisation binds as it does after training.
    private static void Perturb(IBackend backend, DenseNet net, int seed)
    {
        var random = new Random(seed);
        foreach (Parameter parameter in net.Parameters)
        {
            var values = new double[parameter.Value.Count];
            backend.Download(parameter.Value, values);
            if (parameter.Role == ParameterRole.Weight)
            {
                backend.Upload([.. values.Select(w => 3 * w)], parameter.Value);
            }
            else if (parameter.Role == ParameterRole.Concatenation)
            {
                backend.Upload([.. values.Select(_ => (4 * random.NextDouble()) - 2)], parameter.Value);
            }
        }

        net.UpdateNorms(200, 0);
        net.Prepare();
    }

    // Every combination of possible slopes is a Jacobian met somewhere or an element of the set the bounds cover.
    private static double LargestSampledJacobian(BranchNetwork network, int seed)
    {
        var random = new Random(seed);
        double largest = 0;
        for (int k = 0; k < 200; k++)
        {
            double spread = k % 4 == 0 ? 20 : 2.4;
            var rows = new List<Vector<double>>();
            for (int i = 0; i < network.InputWidth; i++)
            {
                rows.Add(Vector<double>.Build.Dense(network.InputWidth, j => i == j ? 1 : 0));
            }

            foreach (DenseStage stage in network.Stages.Append(network.Last))
            {
                Vector<double>[] pre = [.. Enumerable.Range(0, stage.Outputs).Select(i => Combine(stage, i, rows))];
                double[] v = [.. pre.Select(_ => k % 2 == 0 ? 2.399 : spread * ((2 * random.NextDouble()) - 1))];
                if (ReferenceEquals(stage, network.Last))
                {
                    largest = Math.Max(largest, Matrix<double>.Build.DenseOfRowVectors(pre).L2Norm());
                }
                else if (stage.Function == Activation.MaxMin)
                {
                    int half = stage.Outputs / 2;
                    bool[] swapped = [.. Enumerable.Range(0, half).Select(_ => random.Next(2) == 0)];
                    rows.AddRange(Enumerable.Range(0, half).Select(i => pre[(2 * i) + (swapped[i] ? 1 : 0)]));
                    rows.AddRange(Enumerable.Range(0, half).Select(i => pre[(2 * i) + (swapped[i] ? 0 : 1)]));
                }
                else
                {
                    rows.AddRange(pre.Select((row, i) => row * Slope(stage.Function, v[i])));
                    if (stage.Function == Activation.CLipSwish)
                    {
                        rows.AddRange(pre.Select((row, i) => row * -Slope(stage.Function, -v[i])));
                    }
                }
            }
        }

        return largest;

        static Vector<double> Combine(DenseStage stage, int i, List<Vector<double>> rows)
        {
            Vector<double> sum = rows[0] * stage.Weight[i * stage.Inputs];
            for (int k = 1; k < stage.Inputs; k++)
            {
                sum += rows[k] * stage.Weight[(i * stage.Inputs) + k];
            }

            return sum;
        }
    }

    private static double Slope(Activation f, double v)
    {
        double s = 1 / (1 + Math.Exp(-v)), swish = s * (1 + (v * (1 - s))) / 1.1;
        return f switch
        {
            Activation.LipSwish => swish,
            Activation.CLipSwish => swish / 1.004,
            Activation.LeakyLSwish => 0.1 + (0.9 * swish),
            Activation.ReLU => v > 0 ? 1 : 0,
            Activation.Tanh => 1 - Math.Pow(Math.Tanh(v), 2),
            _ => 1,
        };
    }
}
