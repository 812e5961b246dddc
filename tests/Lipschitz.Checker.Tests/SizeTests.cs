using System.Text.Json.Nodes;
using Lipschitz.Backends;
using Lipschitz.Models;
using Lipschitz.Verification.Certificates;

namespace Lipschitz.Checker.Tests;

/// <summary>Sizes whose products are beyond what an int counts, or beyond memory.</summary>
public sealed class SizeTests
{
    private const int Huge = 536_870_911; // 8 (Huge + 1) is 2^32

    private static readonly ModelSettings s_small = new() { Branch = BranchKind.Residual, Blocks = 1, Hidden = [1], Activation = Activation.ReLU };

    [Fact]
    public void A_grid_of_more_frequencies_than_an_int_counts_proves_nothing()
    {
        var convolution = new ConvolutionGrid([.. Enumerable.Repeat(1.0, 9)], 1, 1, 3);
        Assert.False(convolution.Proves([8, Huge + 1, 0, 0], 1, Huge, 0, 0.5));
    }

    [Fact]
    public void A_false_claim_about_a_huge_picture_is_refused()
    {
        using TrainedRun small = Picture(12, 0.05f), large = Picture(Huge, 50);
        JsonNode certificate = JsonNode.Parse(small.Certificate)!;
        var digests = new Digests(large);
        certificate["model"]!["sha256"] = digests.Whole;
        certificate["statement"]!["width"] = Huge;
        certificate["architecture"]!["image"]!["width"] = Huge;
        foreach (JsonNode? layer in certificate["parts"]![1]!["branch"]!["layers"]!.AsArray())
        {
            layer!["sha256"] = digests.Of(layer["name"]!.GetValue<string>());
            layer["grid"] = new JsonArray(8, Huge + 1, 0, 0);
        }

        Assert.True(CertificateChecker.Check(small.Certificate, small.Config, small.Model).IsValid);
        Assert.False(CertificateChecker.Check(Mutations.Bytes(certificate, forged: true), large.Config, large.Model).IsValid);
    }

    [Theory]
    [InlineData(65_536)]
    [InlineData(50_000)]
    public void Multipliers_of_a_branch_whose_matrices_do_not_fit_are_refused(int width)
    {
        using TrainedRun run = TrainedRun.Fill(
            s_small, width, ("blocks.0.layers.0.effective", 1, width, 1e-4f), ("blocks.0.layers.0.bias", 1, 1, 0),
            ("blocks.0.layers.1.effective", width, 1, 1e-4f), ("blocks.0.layers.1.bias", 1, width, 0));
        JsonNode certificate = JsonNode.Parse(run.Certify(Tightness.Product))!;
        JsonNode branch = certificate["parts"]![0]!["branch"]!;
        branch["rule"] = "multipliers";
        branch["activation"] = new JsonObject { ["rule"] = "slopes", ["name"] = "ReLU", ["least"] = 0, ["largest"] = 1 };
        branch["multipliers"] = new JsonArray();
        foreach (JsonNode? layer in branch["layers"]!.AsArray())
        {
            layer!["rule"] = "weight";
            layer.AsObject().Remove("bound");
        }

        CheckReport report = CertificateChecker.Check(Mutations.Bytes(certificate, forged: true), run.Config, run.Model);
        Assert.Contains("inputs and neurons", Assert.Single(report.Findings).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Huge, Huge)]
    [InlineData(12, 13)]
    public void The_prover_refuses_pictures_that_no_model_can_have(int pictureWidth, int width)
    {
        using TrainedRun run = Picture(pictureWidth, 0.05f, width);
        Assert.Throws<Checkpoints.CheckpointFormatException>(() => run.Certify(Tightness.Product));
    }

    private static TrainedRun Picture(int width, float weight, int? columns = null) => TrainedRun.Fill(
        s_small with { Image = new() { Height = 1, Width = width, Channels = 1, Blocks = [1], FullyConnected = 0 } },
        columns ?? width, ("blocks.0.layers.0.effective", 9, 1, weight), ("blocks.0.layers.0.bias", 1, 1, 0),
        ("blocks.0.layers.1.effective", 9, 1, weight), ("blocks.0.layers.1.bias", 1, 1, 0));

    // The checker's own reading refuses such a width.
    private sealed class Digests(TrainedRun run)
    {
        private readonly Checkpoints.SafeTensorFile _file = Checkpoints.SafeTensors.Read(run.ModelPath);

        public string Whole { get; } = ModelFile.Digest(run.Model);

        public string Of(string name) => ModelFile.Digest(_file.Find(name)!.Data);
    }
}
