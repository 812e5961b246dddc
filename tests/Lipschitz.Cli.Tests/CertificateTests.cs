using System.Text.Json;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;

namespace Lipschitz.Cli.Tests;

public sealed class CertificateTests : IDisposable
{
    private readonly CommandLine _line = new();

    public void Dispose() => _line.Dispose();

    [Fact]
    public void Verify_writes_a_certificate_that_check_accepts_and_falsify_does_not_break()
    {
        string run = _line.TrainTiny();
        JsonElement proof = CommandLine.Json("verify", run);
        Assert.True(proof.GetProperty("certified").GetBoolean());
        Assert.True(proof.GetProperty("seconds").GetDouble() < 2);
        JsonElement check = CommandLine.Json("verify", run, "--check");
        Assert.True(check.GetProperty("ok").GetBoolean());
        Assert.Equal(proof.GetProperty("inverseLipschitz").GetDouble(), check.GetProperty("inverseLipschitz").GetDouble());
        JsonElement search = CommandLine.Json("verify", run, "--falsify", "500", "--seed", "1");
        foreach ((JsonElement proven, JsonElement found) in Blocks(proof).Zip(Blocks(search)))
        {
            double bound = proven.GetProperty("bound").GetDouble(), lower = found.GetProperty("lowerBound").GetDouble();
            Assert.True(bound < 1 && lower <= bound && lower > 0.05 * bound, $"{lower} <= {bound}");
            Assert.True(bound <= proven.GetProperty("product").GetDouble());
            Assert.Equal(proven.GetProperty("estimate").GetDouble(), proven.GetProperty("product").GetDouble(), 1e-3);
        }

        Assert.Equal(search.GetProperty("blocks").GetRawText(), CommandLine.Json("verify", run, "--falsify", "500", "--seed", "1").GetProperty("blocks").GetRawText());
        Assert.Contains("blocks.1", CommandLine.Succeed("verify", run), StringComparison.Ordinal);
        Assert.Contains("OK: 2 blocks", CommandLine.Succeed("verify", run, "--check"), StringComparison.Ordinal);
        Assert.Contains("not covered", CommandLine.Succeed("verify", run, "--check"), StringComparison.Ordinal);
        Assert.Contains("ratio", CommandLine.Succeed("verify", run, "--falsify", "100"), StringComparison.Ordinal);
        byte[] certificate = File.ReadAllBytes(Path.Combine(run, "certificate.json"));
        CommandLine.Succeed("verify", run, "--threads", "1");
        Assert.Equal(certificate, File.ReadAllBytes(Path.Combine(run, "certificate.json")));
        Assert.Contains("the model is unchanged", CommandLine.Succeed("certify", run), StringComparison.Ordinal);
    }

    [Fact]
    public void Training_with_certify_leaves_a_certified_model_and_says_what_it_costs()
    {
        JsonElement Train(string name, params string[] more) => CommandLine.Json(
            ["train", "moons", "--steps", "20", "--certify", "--out", _line.In(name), .. CommandLine.Tiny, .. more]);
        JsonElement result = Train("plain"), certification = result.GetProperty("certification");
        Assert.True(certification.GetProperty("certified").GetBoolean());
        Assert.Equal((0, 0.0), (certification.GetProperty("scaled").GetArrayLength(), certification.GetProperty("change").GetDouble()));
        Assert.InRange(certification.GetProperty("largestBound").GetDouble(), 0.1, 1);
        Assert.Contains(Path.Combine(_line.In("plain"), "certificate.json"), result.GetProperty("files").EnumerateArray().Select(f => f.GetString()));

        // A coefficient of 2 leaves blocks whose bounds are above 1.
        string[] loose = ["--set", "model.branch=Residual", "--set", "model.hidden=[16]", "--set", "activation=MaxMin", "--set", "coefficient=2",
            "--set", "warmupSteps=0", "--set", "learningRate=0.1"];
        result = Train("loose", loose);
        certification = result.GetProperty("certification");
        Assert.NotEqual(0, certification.GetProperty("scaled").GetArrayLength());
        Assert.Equal(
            result.GetProperty("negativeLogLikelihood").GetDouble() - certification.GetProperty("before").GetDouble(),
            certification.GetProperty("change").GetDouble(), 1e-12);
        Assert.InRange(certification.GetProperty("largestBound").GetDouble(), 0.1, 1);
        Assert.All(["plain", "loose"], (string name) =>
            Assert.Contains("OK: 2 blocks", CommandLine.Succeed("verify", _line.In(name), "--check"), StringComparison.Ordinal));
    }

    [Fact]
    public void A_certificate_inverts_blocks_whose_products_do_not()
    {
        string run = _line.TrainTiny(
            "wide", "--certify", "--set", "coefficient=1.2", "--set", "model.concatenationBound=1", "--set", "warmupSteps=0", "--set",
            "learningRate=0.1");
        string certificate = Path.Combine(run, "certificate.json"), samples = _line.In("samples.csv"), text = File.ReadAllText(certificate);
        JsonElement[] blocks = Blocks(CommandLine.Json("verify", run));
        Assert.All(blocks, block => Assert.True(block.GetProperty("bound").GetDouble() < 1));
        Assert.Contains(blocks, block => block.GetProperty("product").GetDouble() > 1);
        CommandLine.Succeed("sample", run, "-n", "20", "-o", samples);
        JsonElement trip = CommandLine.Json("invert", run, "--tolerance", "1e-5");
        Assert.Equal(trip.GetProperty("points").GetInt32(), trip.GetProperty("withinBound").GetInt32());
        Assert.Contains("density.png", CommandLine.Succeed("plot", run), StringComparison.Ordinal);

        string[] sample = ["sample", run, "-n", "20", "-o", samples];
        string[] files = [text.Replace("\"branch\"", "\"bench\"", StringComparison.Ordinal), text[..^2]];
        foreach (string damaged in files)
        {
            File.WriteAllText(certificate, damaged);
            Assert.Contains("no certificate, or a damaged one", CommandLine.Fail(ExitCode.Data, sample), StringComparison.Ordinal);
        }

        int at = text.IndexOf("\"model.safetensors\"", StringComparison.Ordinal);
        at = text.IndexOf("\"sha256\": \"", at, StringComparison.Ordinal) + "\"sha256\": \"".Length;
        File.WriteAllText(certificate, text[..at] + (text[at] == '0' ? '1' : '0') + text[(at + 1)..]); // of another model
        Assert.Contains("-Lipschitz, so x + g(x) may have no inverse", CommandLine.Fail(ExitCode.Numerical, sample), StringComparison.Ordinal);
        File.Delete(certificate);
        Assert.Contains("-Lipschitz, so x + g(x) may have no inverse", CommandLine.Fail(ExitCode.Numerical, sample), StringComparison.Ordinal);
    }

    [Fact]
    public void A_norm_that_power_iteration_reads_too_low_is_refused_and_can_be_certified()
    {
        string run = PlantedViolation();
        string certificate = Path.Combine(run, "certificate.json");
        (int code, string output, string error) = CommandLine.Run("verify", run, "--json");
        Assert.Equal(ExitCode.NotCertified, code);
        JsonElement block = Blocks(JsonDocument.Parse(output).RootElement)[1];
        Assert.Equal(0.98, block.GetProperty("estimate").GetDouble(), 1e-3);
        Assert.Equal(1.05, block.GetProperty("bound").GetDouble(), 1e-3);
        Assert.StartsWith("error: blocks.1 is not certified: Lip(g) <= 1.0498", error, StringComparison.Ordinal);
        Assert.Contains("blocks.1.layers.0.effective has norm 1.050000, 7.14% above the coefficient 0.98", error, StringComparison.Ordinal);
        Assert.False(File.Exists(certificate));

        (code, output, _) = CommandLine.Run("verify", run, "--falsify", "1000", "--json");
        Assert.Equal(ExitCode.NotCertified, code);
        Assert.True(Blocks(JsonDocument.Parse(output).RootElement)[1].GetProperty("lowerBound").GetDouble() > 1.04);

        JsonElement result = CommandLine.Json("certify", run);
        JsonElement scaled = Assert.Single(result.GetProperty("scaled").EnumerateArray());
        Assert.Equal("blocks.1.layers.0.effective", scaled.GetProperty("name").GetString());
        Assert.Equal(0.98 / 1.05, scaled.GetProperty("factor").GetDouble(), 1e-5);
        Assert.Equal(
            result.GetProperty("after").GetDouble() - result.GetProperty("before").GetDouble(), result.GetProperty("change").GetDouble(), 1e-12);
        Assert.True(CommandLine.Json("verify", run, "--check").GetProperty("ok").GetBoolean());
        Assert.True(CommandLine.Json("verify", run).GetProperty("certified").GetBoolean());
        CommandLine.Succeed("invert", run);
    }

    [Fact]
    public void A_flow_on_pictures_is_verified_checked_and_searched()
    {
        Configuration preset = Presets.Load("quick", PresetFamily.Mnist);
        ImageSettings image = preset.Model.Image! with { Height = 8, Width = 8, Channels = 1, FirstSqueezes = 0, Blocks = [1, 1], FullyConnected = 1 };
        Configuration configuration = preset with { Model = preset.Model with { Growth = 4, Coefficient = 0.9, Image = image } };
        RunDirectory run = RunDirectory.Create(_line.In("pictures"), configuration);
        using (IBackend backend = ComputeOptions.OpenCpu(threads: 1))
        {
            Flow flow = FlowFactory.Create(configuration, 64, backend);
            flow.UpdateNorms(100);
            FlowFile.Write(run.In("model.safetensors"), flow, 0);
        }

        Assert.Contains("on pictures with numbers in [0, 1]", CommandLine.Succeed("verify", run.Path), StringComparison.Ordinal);
        string check = CommandLine.Succeed("verify", run.Path, "--check");
        Assert.Contains("OK: 3 blocks", check, StringComparison.Ordinal);
        Assert.Contains("not covered: pictures with numbers outside [0, 1]", check, StringComparison.Ordinal);
        foreach (JsonElement block in Blocks(CommandLine.Json("verify", run.Path, "--falsify", "40")))
        {
            Assert.InRange(block.GetProperty("lowerBound").GetDouble(), 0.01, block.GetProperty("certifiedBound").GetDouble());
        }
    }

    [Fact]
    public void A_certificate_that_does_not_stand_is_refused_with_the_field()
    {
        string run = _line.TrainTiny();
        string path = Path.Combine(run, "certificate.json"), model = Path.Combine(run, "model.safetensors");
        Assert.Contains($"there is no {path}", CommandLine.Fail(ExitCode.Data, "verify", run, "--check"), StringComparison.Ordinal);
        CommandLine.Succeed("verify", run);
        string text = File.ReadAllText(path);
        File.WriteAllText(path, text.Replace("\"width\": 2", "\"width\": 3", StringComparison.Ordinal));
        Assert.Contains("certificate.statement.width", CommandLine.Run("verify", run, "--check").Output, StringComparison.Ordinal);
        Refusal(run);
        File.WriteAllText(path, text);
        byte[] bytes = File.ReadAllBytes(model);
        bytes[^9] ^= 1;
        File.WriteAllBytes(model, bytes);
        Assert.Contains("certificate.model.sha256", Refusal(run), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blocks.1.layers.0.bias")]
    [InlineData("blocks.0.final.bias")]
    [InlineData("blocks.0.layers.1.beta")]
    [InlineData("norms.0.shift")]
    public void A_number_that_is_none_is_an_unreadable_model(string tensor)
    {
        string run = _line.TrainTiny("run", "--set", "activation=LipSwish", "--set", "model.actNorm=true");
        string model = Path.Combine(run, "model.safetensors");
        SafeTensorFile file = SafeTensors.Read(model);
        SafeTensor Spoilt(SafeTensor t) => SafeTensor.FromFloats(t.Name, [.. t.ToFloats()[..^1], float.NaN], [.. t.Shape]);
        SafeTensors.Write(model, [.. file.Tensors.Select(t => t.Name == tensor ? Spoilt(t) : t)], file.Metadata);
        Assert.Contains($"of '{tensor}' is NaN", CommandLine.Fail(ExitCode.Data, "verify", run), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(run, "certificate.json")));
    }

    private static string Refusal(string run)
    {
        (int code, _, string error) = CommandLine.Run("verify", run, "--check");
        Assert.Equal(ExitCode.NotCertified, code);
        return Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    private static JsonElement[] Blocks(JsonElement result) => [.. result.GetProperty("blocks").EnumerateArray()];

    // g = W phi(x) with W = diag(1.05, 0.98), and singular vectors that power iteration left at the second: sigma reads 0.98.
    private string PlantedViolation()
    {
        string run = _line.TrainTiny(
            "planted", "--set", "model.branch=Residual", "--set", "model.hidden=[]", "--set", "activation=LipSwish", "--set", "coefficient=0.98");
        RunDirectory directory = RunDirectory.Open(run);
        using IBackend backend = ComputeOptions.OpenCpu(threads: 1);
        Flow flow = directory.LoadFlow(backend);
        void Plant(string name, params double[] values)
        {
            Parameter parameter = flow.Parameters.Single(p => p.Name == $"blocks.1.layers.0.{name}");
            backend.Upload(values, parameter.Value);
        }

        Plant("weight", 1.05, 0, 0, 0.98);
        Plant("u", 0, 1);
        Plant("v", 0, 1);
        flow.Prepare();
        FlowFile.Write(directory.In("model.safetensors"), flow, 20);
        return run;
    }
}
