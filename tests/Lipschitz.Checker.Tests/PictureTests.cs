using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Verification.Certificates;
using Lipschitz.Verification.Convolutions;

namespace Lipschitz.Checker.Tests;

/// <summary>Certificates of flows on pictures.</summary>
public sealed class PictureTests(ITestOutputHelper output)
{
    [Fact]
    public void Cosines_are_within_their_error()
    {
        for (long denominator = 1; denominator < 60; denominator++)
        {
            for (long numerator = -4 * denominator; numerator < 5 * denominator; numerator++)
            {
                (double cos, double sin) = ConvolutionGrid.CosSinPi(numerator, denominator);
                double x = Math.PI * numerator / denominator;
                Assert.Equal(Math.Cos(x), cos, 4e-13);
                Assert.Equal(Math.Sin(x), sin, 4e-13);
            }
        }
    }

    [Theory]
    [InlineData(3, 3, 5, 6, 4)]
    [InlineData(7, 2, 3, 4, 4)]
    [InlineData(2, 9, 3, 8, 5)]
    [InlineData(1, 1, 5, 9, 7)]
    public void A_grid_proves_what_the_prover_found_and_nothing_below(int outputs, int inputs, int kernel, int height, int width)
    {
        var random = new Random(outputs);
        double[] weight = [.. Enumerable.Range(0, outputs * kernel * kernel * inputs).Select(_ => random.NextDouble() - 0.5)];
        ConvolutionProof proof = ConvolutionNormBound.Prove(new ConvolutionKernel(weight, outputs, kernel, kernel, inputs), height, width, 0);
        FrequencyGrid best = proof.Grid!.Value;
        int[] grid = [best.Rows, best.Columns, best.RowTwist, best.ColumnTwist];
        var convolution = new ConvolutionGrid(weight, outputs, inputs, kernel);
        Assert.True(convolution.Proves(grid, height, width, 0, proof.Bound * (1 + 1e-9)));
        Assert.False(convolution.Proves(grid, height, width, 0, proof.Bound * (1 - 1e-7)));
        Assert.False(convolution.Proves(grid, height, width, 1e-3, proof.Bound * (1 + 1e-9))); // of kernels that differ by so much
        int[][] senseless =
        [
            [], [best.Rows], [height + (kernel / 2) - 1, best.Columns, 0, 0], [best.Rows, width + (kernel / 2) - 1, 0, 0], [best.Rows, best.Columns, 2, 0],
            [best.Rows, best.Columns, 0, -1], [1 << 20, best.Columns, 0, 0], [best.Rows, best.Columns, 0, 0, 0], [0, 0, 0, 0],
        ];
        Assert.All(senseless, other => Assert.False(convolution.Proves(other, height, width, 0, 100 * proof.Bound)));
        Assert.All([double.NaN, 0, -1, double.PositiveInfinity], (double bound) => Assert.False(convolution.Proves(grid, height, width, 0, bound)));
    }

    [Theory]
    [InlineData("blocks.0.layers.1.effective", 1.0001f)]
    [InlineData("blocks.1.layers.0.effective", 1.0001f)]
    [InlineData("blocks.1.final.effective", 1.0001f)]
    [InlineData("blocks.2.first.effective", 1.0001f)]
    [InlineData("blocks.2.layers.1.effective", 1.0001f)]
    [InlineData("norms.1.logScale", 1.0001f)]
    [InlineData("blocks.0.layers.0.effective", float.NaN)]
    [InlineData("norms.3.shift", float.PositiveInfinity)]
    public void Other_weights_under_forged_digests_are_refused(string tensor, float factor)
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["pictures"]);
        JsonNode certificate = JsonNode.Parse(run.Certificate)!;
        run.Change(tensor, values =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] *= factor;
            }
        });
        var model = new ModelFile(run.Model);
        certificate["model"]!["sha256"] = model.Sha256;
        foreach (JsonNode branch in certificate["parts"]!.AsArray().Select(part => part!["branch"]).OfType<JsonNode>())
        {
            foreach (JsonNode? weight in (JsonNode?[])[branch["first"], .. branch["layers"]!.AsArray().Select(l => l!["weight"]), branch["final"]])
            {
                if (weight is not null)
                {
                    weight["sha256"] = model.DigestOf(weight["name"]!.GetValue<string>());
                }
            }
        }

        Finding finding = Assert.Single(CertificateChecker.Check(Mutations.Bytes(certificate, forged: true), run.Config, run.Model).Findings);
        string reason = !float.IsFinite(factor) ? "not finite" : tensor.StartsWith("norms", StringComparison.Ordinal) ? "claimed" : "is not proven";
        Assert.Contains(reason, finding.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"factorOut\": true", "\"factorOut\": false")]
    [InlineData("\"firstSqueezes\": 0", "\"firstSqueezes\": 1")]
    [InlineData("\"height\": 8", "\"height\": 6")]
    [InlineData("\"logit\": 0.05", "\"logit\": 0.06")]
    [InlineData("\"logit\": 0.05", "\"logit\": 0.5")]
    [InlineData("\"fullyConnected\": 1", "\"fullyConnected\": 0")]
    [InlineData("\"fullyConnectedGrowth\": 2", "\"fullyConnectedGrowth\": 3")]
    [InlineData("\"fullyConnectedGrowth\": 2", "\"fullyConnectedGrowth\": 2, \"skip\": true")]
    [InlineData("\"channels\": 1", "\"channels\": 0")]
    public void Another_configuration_is_refused(string old, string replacement)
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["pictures"]);
        string configuration = Encoding.UTF8.GetString(run.Config);
        Assert.Contains(old, configuration, StringComparison.Ordinal);
        byte[] changed = Encoding.UTF8.GetBytes(configuration.Replace(old, replacement, StringComparison.Ordinal));
        Assert.NotEmpty(CertificateChecker.Check(run.Certificate, changed, run.Model).Findings);
    }

    [Fact]
    public void A_head_for_classes_is_no_layer_of_the_flow()
    {
        using TrainedRun run = TrainedRun.Train(
            TrainedRun.Models["pictures"], task: new TaskSettings { Kind = TaskKind.Hybrid, Classes = 3, HeadChannels = 2 });
        Assert.Empty(CertificateChecker.Check(run.Certificate, run.Config, run.Model).Findings);
        byte[] without = Encoding.UTF8.GetBytes(ConfigurationJson.Write(run.Configuration with { Task = null }));
        Assert.Contains("head.", Assert.Single(CertificateChecker.Check(run.Certificate, without, run.Model).Findings).Field, StringComparison.Ordinal);
    }

    [Fact]
    public void What_acts_on_a_part_of_the_features_counts_as_at_least_1()
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["pictures"]);
        FlowCertificate certificate = CertificateBuilder.Build(run.ModelPath, run.Configuration);
        PartCertificate[] parts = [.. certificate.Parts];
        Assert.Equal(
            ["preprocess", "norms.0", "blocks.0", "norms.1", "squeezes.0", "splits.0", "blocks.1", "norms.2", "blocks.2", "norms.3"],
            parts.Select(part => part.Name));
        Assert.Equal(0.9 / (0.05 * 0.95), parts[0].Lipschitz, 1e-9);
        Assert.Equal(1 / 3.6, parts[0].Inverse, 1e-9);
        double inner = parts[6..].Aggregate(1.0, (product, part) => product * part.Inverse);
        double outer = parts[..6].Aggregate(1.0, (product, part) => product * part.Inverse);
        Assert.Equal(outer * Math.Max(1, inner), certificate.Inverse, 1e-9 * certificate.Inverse);
    }

    [Fact]
    public void A_convolution_above_its_bound_is_named_and_scaled_down()
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["pictures"]);
        run.Change("blocks.1.layers.1.effective", values =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] *= 3;
            }
        });
        FlowCertificate before = CertificateBuilder.Build(run.ModelPath, run.Configuration);
        BlockCertificate block = Assert.Single(before.Blocks, b => !(b.Branch.Lipschitz < 1));
        Assert.Equal(("blocks.1", "blocks.1.layers.1.effective"), (block.Name, block.Branch.Weights.MaxBy(weight => weight.Bound)!.Name));
        (IReadOnlyList<ScaledWeight> scaled, FlowCertificate after) = Rescaling.Apply(run.ModelPath, run.Configuration);
        Assert.Equal("blocks.1.layers.1.effective", Assert.Single(scaled, weight => weight.Factor < 0.5).Name);
        Assert.True(after.IsContractive);
        Assert.Equal(before.Blocks.First().Branch.Lipschitz, after.Blocks.First().Branch.Lipschitz);
        Assert.Empty(CertificateChecker.Check(CertificateJson.ToBytes(after), run.Config, run.Model).Findings);
        Assert.Equal(CertificateJson.ToBytes(after), run.Certify(Tightness.Small));
    }

    [Theory]
    [InlineData("idensenet-lc", PresetFamily.Cifar10)]
    [InlineData("resflow", PresetFamily.Cifar10)]
    [InlineData("idensenet-lc", PresetFamily.Mnist)]
    public void A_flow_of_full_size_is_certified_in_a_minute_and_checked_in_two(string preset, PresetFamily family)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("LIPSCHITZ_SLOW_TESTS") == "1", "LIPSCHITZ_SLOW_TESTS is not 1.");
        string folder = Directory.CreateTempSubdirectory("lipschitz-checker").FullName, model = Path.Combine(folder, "model.safetensors");
        Configuration configuration = Presets.Load(preset, family);
        RunDirectory.Create(folder, configuration);
        using (IBackend backend = CpuBackend.Create(Precision.Float32, Environment.ProcessorCount))
        {
            ImageSettings image = configuration.Model.Image!;
            Flow flow = FlowFactory.Create(configuration, image.Shape.Count, backend);
            foreach (Parameter weight in flow.Parameters.Where(parameter => parameter.Role == ParameterRole.Weight))
            {
                backend.Axpby(2, weight.Value, 0, weight.Value); // large enough for normalisation to bind
            }

            flow.UpdateNorms(20);
            FlowFile.Write(model, flow, 0);
        }

        var clock = Stopwatch.StartNew();
        FlowCertificate certificate = CertificateBuilder.Build(model, configuration);
        double proving = clock.Elapsed.TotalSeconds;
        clock.Restart();
        int scaled = 0;
        if (!certificate.IsContractive)
        {
            (IReadOnlyList<ScaledWeight> weights, certificate) = Rescaling.Apply(model, configuration);
            scaled = weights.Count;
        }

        double scaling = clock.Elapsed.TotalSeconds;
        CertificateJson.Write(Path.Combine(folder, "certificate.json"), certificate);
        clock.Restart();
        CheckReport report = CertificateChecker.Check(folder);
        double checking = clock.Elapsed.TotalSeconds;
        output.WriteLine(
            $"{family} {preset}: proven in {proving:F1} s, {scaled} weights scaled in {scaling:F1} s, checked in {checking:F1} s;"
            + $" bounds {string.Join(" ", certificate.Blocks.Select(block => $"{block.Branch.Lipschitz:F4}"))}");
        output.WriteLine(string.Join(" ", certificate.Blocks.SelectMany(block => block.Branch.Weights).Select(weight => $"{weight.Bound:F4}")));
        Assert.Empty(report.Findings);
        Directory.Delete(folder, recursive: true);
        Assert.True(proving < 60 && checking < 120);
    }
}
