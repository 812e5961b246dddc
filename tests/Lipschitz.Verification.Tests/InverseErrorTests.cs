using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;
using Lipschitz.Verification.Inverse;

namespace Lipschitz.Verification.Tests;

/// <summary>Proven errors of inverses in single precision against inverses in double; 10,000 points with LIPSCHITZ_SLOW_TESTS=1.</summary>
public class InverseErrorTests(ITestOutputHelper output)
{
    [Fact]
    public void Bounds_hold_for_the_inverse_of_a_trained_flow_at_every_sampled_latent()
    {
        int count = Environment.GetEnvironmentVariable("LIPSCHITZ_SLOW_TESTS") == "1" ? 10_000 : 300;
        string file = Path.Combine(Directory.CreateTempSubdirectory("lipschitz-inverse").FullName, "model.safetensors");
        using IBackend single = CpuBackend.Create(Precision.Float32), wide = CpuBackend.Create(Precision.Float64);
        Configuration configuration = Train(file, single);
        Flow flow = FlowFile.Read(file, configuration, single), truth = FlowFile.Read(file, configuration, wide); // the same effective weights
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        var enclosure = new FlowEnclosure(flow);
        Assert.All(enclosure.Proofs, proof => Assert.True(proof.IsContraction));

        var random = new Random(3);
        double Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        double[] latents = [.. Enumerable.Range(0, 2 * count).Select(_ => Normal())];
        double[] found = flow.Inverse(latents).Points;
        double[] exact = truth.Inverse(latents, 1e-12).Points;
        var clock = Stopwatch.StartNew();
        double[] bounds = Bounds(found), remaining = Bounds(exact); // how good the inverse in double is, is proven as well
        double seconds = clock.Elapsed.TotalSeconds;
        double worst = 0, worstRatio = 0;
        for (int i = 0; i < count; i++)
        {
            double error = Math.Sqrt(Math.Pow(found[2 * i] - exact[2 * i], 2) + Math.Pow(found[(2 * i) + 1] - exact[(2 * i) + 1], 2));
            Assert.True(error <= bounds[i] + remaining[i], $"latent {i}: {error:E3} > {bounds[i]:E3}");
            (worst, worstRatio) = (Math.Max(worst, error), Math.Max(worstRatio, error / bounds[i]));
        }

        output.WriteLine(
            $"{count} points: largest error {worst:E2}, largest bound {bounds.Max():E2}, largest error/bound {worstRatio:F4}, "
            + $"largest bound of the double inverse {remaining.Max():E2}, Lip(F^-1) <= {enclosure.Constants.Inverse:E2}; {seconds:F1} s of proofs");
        Assert.True(bounds.Max() < 1e-2 && remaining.Max() < 1e-8);

        double[] Bounds(double[] points)
        {
            var proven = new double[count];
            Parallel.For(0, count, i => proven[i] = enclosure.InverseError(points.AsSpan(2 * i, 2), latents.AsSpan(2 * i, 2)));
            return proven;
        }
    }

    private static Configuration Train(string file, IBackend backend)
    {
        Configuration preset = Presets.Load("quick");
        Configuration configuration = preset with { Training = preset.Training with { Steps = 100, Batch = 84, WarmupSteps = 0 } };
        var trainer = new Trainer(configuration, backend, ToyDensities.Find("moons"));
        for (int step = 0; step < configuration.Training.Steps; step++)
        {
            trainer.Step();
        }

        FlowFile.Write(file, trainer.InferenceFlow(), trainer.StepsDone);
        return configuration;
    }
}
