using System.Text.Json;

namespace Lipschitz.Cli.Tests;

/// <summary>Command lines that would destroy what is on the disk, or take it for something else.</summary>
public sealed class NothingIsLostTests : IDisposable
{
    private readonly CommandLine _line = new();

    public void Dispose() => _line.Dispose();

    [Fact]
    public void A_finished_run_without_its_training_state_is_not_begun_again()
    {
        string run = _line.TrainTiny();
        File.Delete(Path.Combine(run, "training.safetensors")); // as the papers' runs are kept
        Dictionary<string, byte[]> before = Contents(run);
        string error = CommandLine.Fail(ExitCode.Data, "train", "--resume", run, "--threads", "1");
        Assert.Contains($"{run} holds a model of 20 steps, but no training.safetensors to continue from", error, StringComparison.Ordinal);
        Assert.Equal(before, Contents(run));
    }

    [Fact]
    public void A_run_that_was_killed_in_its_first_save_begins_again()
    {
        string run = _line.TrainTiny("run", "--set", "training.testInterval=0");
        byte[] model = File.ReadAllBytes(Path.Combine(run, "model.safetensors"));
        File.Delete(Path.Combine(run, "training.safetensors"));
        File.Delete(Path.Combine(run, "model.safetensors"));
        CommandLine.Succeed("train", "--resume", run, "--threads", "1");
        Assert.Equal(model, File.ReadAllBytes(Path.Combine(run, "model.safetensors")));
    }

    [Fact]
    public void A_last_test_that_failed_is_made_up_for()
    {
        string run = _line.TrainTiny();
        string metrics = Path.Combine(run, "metrics.jsonl");
        string[] lines = File.ReadAllLines(metrics);
        Assert.Contains("\"testNll\"", lines[^1], StringComparison.Ordinal);
        File.WriteAllLines(metrics, lines[..^1]); // saved, but not tested
        CommandLine.Succeed("train", "--resume", run, "--threads", "1");
        double Loss(string line) => JsonDocument.Parse(line).RootElement.GetProperty("testNll").GetDouble();
        Assert.Equal(Loss(lines[^1]), Loss(File.ReadAllLines(metrics)[^1]));
        Assert.Equal(lines.Length, File.ReadAllLines(metrics).Length);
        CommandLine.Succeed("train", "--resume", run, "--threads", "1"); // and only once
        Assert.Equal(lines.Length, File.ReadAllLines(metrics).Length);
    }

    [Theory]
    [InlineData("\"blocks\": 2", "\"blocks\": 1", "entry 'blocks.1.")]
    [InlineData("\"actNorm\": true", "\"actNorm\": false", "entry 'norms.0.")]
    public void A_model_with_more_layers_than_its_configuration_is_not_taken_for_a_smaller_one(string old, string replacement, string entry)
    {
        string run = _line.TrainTiny(), path = Path.Combine(run, "config.json"), text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, replacement, StringComparison.Ordinal));
        foreach (string[] command in new string[][] { ["eval", run], ["verify", run], ["sample", run, "-n", "3", "-o", _line.In("s.csv")] })
        {
            string error = CommandLine.Fail(ExitCode.Data, command);
            Assert.Contains(entry, error, StringComparison.Ordinal);
            Assert.Contains("belongs to no layer of config.json", error, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(Path.Combine(run, "certificate.json")));
    }

    [Fact]
    public void An_input_is_kept_whatever_links_lead_to_it()
    {
        string run = _line.TrainTiny(), folder = _line.In("real");
        Directory.CreateDirectory(Path.Combine(folder, "deep"));
        Directory.CreateSymbolicLink(_line.In("link"), folder);
        string input = _line.Save("real/deep/in.csv", "0,1\n1,0\n");
        foreach ((string from, string to) in new[] { (_line.In("link/deep/in.csv"), input), (input, _line.In("link/deep/in.csv")) })
        {
            Assert.Contains("would be lost", CommandLine.Fail(ExitCode.Usage, "logprob", run, from, "-o", to), StringComparison.Ordinal);
        }

        Assert.Equal("0,1\n1,0\n", File.ReadAllText(input));
    }

    [Fact]
    public void Data_of_another_width_are_exit_code_3()
    {
        string rows = string.Concat(Enumerable.Range(0, 40).Select(i => $"{i % 3},{i % 5},{i % 7}\n")), points = _line.Save("points.csv", rows);
        string run = _line.In("run");
        CommandLine.Succeed(["train", points, "--steps", "2", "--out", run, .. CommandLine.Tiny, "--set", "batch=8"]);
        _line.Save("points.csv", string.Concat(Enumerable.Range(0, 40).Select(i => $"{i % 3},{i % 5}\n")));
        foreach (string[] command in new string[][] { ["eval", run], ["certify", run], ["invert", run], ["plot", run], ["train", "--resume", run] })
        {
            string error = CommandLine.Fail(ExitCode.Data, command);
            Assert.Contains($"{points} has 2 columns, the run {run} was trained on 3", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_flow_that_is_not_known_to_be_invertible_is_reported_not_failed()
    {
        string[] loose = ["--set", "model.branch=Residual", "--set", "model.hidden=[16]", "--set", "activation=MaxMin", "--set", "coefficient=2",
            "--set", "warmupSteps=0", "--set", "learningRate=0.1"];
        string text = CommandLine.Succeed(["train", "moons", "--steps", "20", "--out", _line.In("run"), .. CommandLine.Tiny, .. loose]);
        Assert.Contains("test NLL", text, StringComparison.Ordinal);
        Assert.Contains("not drawn   density.png: blocks.", text, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_line.In("run"), "loss.png")));
        Assert.Contains("may have no inverse", CommandLine.Json("plot", _line.In("run")).GetProperty("notDrawn").GetString(), StringComparison.Ordinal);
    }

    private static Dictionary<string, byte[]> Contents(string folder) =>
        Directory.GetFiles(folder).ToDictionary(path => path, File.ReadAllBytes);
}
