using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Flows;
using Lipschitz.Tensors;
using Lipschitz.Verification.Certificates;

namespace Lipschitz.Checker.Tests;

public sealed class CheckerTests
{
    public static TheoryData<string, Tightness> Names
    {
        get
        {
            var data = new TheoryData<string, Tightness>();
            foreach (string name in TrainedRun.Models.Keys)
            {
                data.Add(name, Tightness.Product);
                data.Add(name, Tightness.Small);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_true_certificate_stands(string name, Tightness tightness)
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models[name]);
        FlowCertificate certificate = CertificateBuilder.Build(run.ModelPath, run.Configuration, tightness);
        CertificateJson.Write(Path.Combine(run.Folder, "certificate.json"), certificate);
        CheckReport report = CertificateChecker.Check(run.Folder);
        Assert.Empty(report.Findings);
        Assert.Equal(certificate.Parts.Select(p => p.Name), report.Parts.Select(p => p.Name));
        bool tight = tightness == Tightness.Small && name != "maxmin" && run.Configuration.Model.Image is null;
        Assert.All(certificate.Blocks, block => Assert.Equal(tight, block.Branch is MultiplierCertificate));
        Assert.All(certificate.Blocks, block => Assert.True(tight ? block.Branch.Lipschitz < block.Product : block.Branch.Lipschitz == block.Product));
        Assert.Equal((certificate.Lipschitz, certificate.Inverse), (report.Lipschitz, report.Inverse));
        Assert.True(report.IsValid);
    }

    [Theory]
    [InlineData(1e-2)]
    [InlineData(1e-4)]
    [InlineData(1e-7)]
    public void A_true_certificate_of_nearly_constant_branches_stands(double scale)
    {
        // The allowances of the two proofs are relative to the largest numbers of a branch, and its bound is far below them.
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["dense"] with { Depth = 3, Growth = 16 });
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        Flow flow = FlowFile.Read(run.ModelPath, run.Configuration, backend);
        foreach (Tensor weight in flow.Blocks.Select(block => block.Branch.EffectiveWeights[^1].Value))
        {
            backend.Axpby(scale, weight, 0, weight);
        }

        FlowFile.Write(run.ModelPath, flow, 0);
        byte[] certificate = run.Certify(Tightness.Small);
        Assert.Empty(CertificateChecker.Check(certificate, run.Config, run.Model).Findings);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_field_changed_is_refused(string name, Tightness tightness)
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models[name]);
        (byte[] certificate, byte[] configuration, byte[] model) = (run.Certify(tightness), run.Config, run.Model);
        int count = 0;
        foreach (bool forged in (bool[])[false, true])
        {
            Assert.True(CertificateChecker.Check(Mutations.Bytes(JsonNode.Parse(certificate)!, forged: true), configuration, model).IsValid);
            foreach ((string what, byte[] bytes) in Mutations.Of(certificate, forged))
            {
                CheckReport report = CertificateChecker.Check(bytes, configuration, model);
                Assert.True(!report.IsValid, $"{(forged ? "forged" : "plain")} {what} was accepted");
                Assert.All(report.Findings, finding => Assert.NotEqual("", finding.Field + finding.Reason));
                count++;
            }
        }

        Assert.True(count > 500, $"{count} mutations");
    }

    [Fact]
    public void Any_bit_of_certificate_or_model_flipped_is_refused()
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["dense"]);
        (byte[] certificate, byte[] configuration, byte[] model) = (run.Certificate, run.Config, run.Model);
        for (int i = 0; i < certificate.Length; i++)
        {
            byte[] changed = [.. certificate];
            changed[i] ^= (byte)(1 << (i % 8));
            Assert.False(CertificateChecker.Check(changed, configuration, model).IsValid, $"bit of byte {i} of the certificate");
        }

        for (int i = 0; i < model.Length; i += 7)
        {
            byte[] changed = [.. model];
            changed[i] ^= (byte)(1 << (i % 8));
            Assert.False(CertificateChecker.Check(certificate, configuration, changed).IsValid, $"bit of byte {i} of the model");
        }

        Assert.False(CertificateChecker.Check(certificate, configuration, model[..^1]).IsValid);
        Assert.False(CertificateChecker.Check(certificate, configuration, [.. model, 0]).IsValid);
        Assert.False(CertificateChecker.Check(certificate, configuration, []).IsValid);
        Assert.False(CertificateChecker.Check([], configuration, model).IsValid);
    }

    [Theory]
    [InlineData("\"blocks\": 2", "\"blocks\": 1", "belongs to no layer")]
    [InlineData("\"actNorm\": true", "\"actNorm\": false", "architecture.actNorm")]
    [InlineData("\"CLipSwish\"", "\"LipSwish\"", "architecture.activation")]
    [InlineData("\"CLipSwish\"", "\"Sine\"", "no constant is known")]
    [InlineData("\"depth\": 2", "\"depth\": 3", "missing")]
    [InlineData("\"growth\": 4", "\"growth\": 5", "config.json needs")]
    [InlineData("\"growth\": 4", "\"growth\": 4, \"squeeze\": true", "unknown field")]
    [InlineData("\"growth\": 4", "\"growth\": 4, \"growth\": 4", "repeated names")]
    [InlineData("\"DenseNet\"", "\"Residual\"", "architecture.branch")]
    public void Another_configuration_is_refused(string old, string replacement, string because)
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["dense"]);
        string configuration = Encoding.UTF8.GetString(run.Config);
        Assert.Contains(old, configuration, StringComparison.Ordinal);
        byte[] changed = Encoding.UTF8.GetBytes(configuration.Replace(old, replacement, StringComparison.Ordinal));
        CheckReport report = CertificateChecker.Check(run.Certificate, changed, run.Model);
        Assert.Contains(because, string.Join("\n", report.Findings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blocks.0.layers.1.effective", 1.0001f)]
    [InlineData("blocks.1.final.effective", 1.0001f)]
    [InlineData("norms.1.logScale", 1.0001f)]
    [InlineData("blocks.0.final.effective", float.NaN)]
    [InlineData("blocks.0.layers.0.bias", float.PositiveInfinity)]
    [InlineData("blocks.0.layers.0.beta", float.NaN)]
    public void Other_weights_under_forged_digests_are_refused(string tensor, float factor)
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["dense"]);
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
        foreach (JsonNode? part in certificate["parts"]!.AsArray())
        {
            if (part!["branch"] is { } branch)
            {
                foreach (JsonNode? weight in (JsonNode?[])[.. branch["layers"]!.AsArray().Select(l => l!["weight"]), branch["final"]])
                {
                    weight!["sha256"] = model.DigestOf(weight["name"]!.GetValue<string>());
                }
            }
        }

        CheckReport report = CertificateChecker.Check(Mutations.Bytes(certificate, forged: true), run.Config, run.Model);
        Finding finding = Assert.Single(report.Findings);
        string reason = !float.IsFinite(factor) ? "not finite" : tensor.StartsWith("norms", StringComparison.Ordinal) ? "is claimed" : "is not proven";
        Assert.Contains(reason, finding.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_that_the_certificate_does_not_cover_is_refused()
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["dense"]);
        byte[] model = run.Model;
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(model);
        string header = Encoding.UTF8.GetString(model, 8, length).Replace("blocks.1.final.bias", "blocks.2.final.bias", StringComparison.Ordinal);
        Encoding.UTF8.GetBytes(header).CopyTo(model, 8);
        CheckReport report = CertificateChecker.Check(run.Certificate, run.Config, model);
        Assert.Contains(report.Findings, f => f.Field.Contains("blocks.1.final.bias", StringComparison.Ordinal) && f.Reason == "missing");
    }

    [Fact]
    public void Missing_files_are_named()
    {
        using TrainedRun run = TrainedRun.Train(TrainedRun.Models["fixed"], steps: 1);
        Assert.Equal("certificate.json: there is none", Assert.Single(CertificateChecker.Check(run.Folder).Findings).ToString());
        Assert.Equal(3, CertificateChecker.Check(Path.Combine(run.Folder, "nowhere")).Findings.Count);
    }
}
