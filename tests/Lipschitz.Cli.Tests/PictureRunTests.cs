using System.Text.Json;
using Lipschitz.Data;
using Lipschitz.Training;

namespace Lipschitz.Cli.Tests;

/// <summary>Runs on pictures: the digits that come with the library, at 8 x 8, with a tiny flow.</summary>
public sealed class PictureRunTests : IDisposable
{
    private const int Pixels = 64;
    private static readonly string[] s_tiny =
    [
        "--set", "pictures.size=8", "--set", "model.depth=1", "--set", "model.growth=4", "--set", "model.image.firstSqueezes=0",
        "--set", "model.image.blocks=1,1", "--set", "model.image.fullyConnected=1", "--set", "fullyConnectedWidth=4",
        "--set", "fullyConnectedDepth=1", "--set", "fullyConnectedGrowth=4", "--set", "training.batch=32",
    ];

    private readonly CommandLine _line = new();

    public void Dispose() => _line.Dispose();

    [Fact]
    public void Train_reports_bits_and_draws_pictures_curves_and_scales()
    {
        string text = CommandLine.Succeed(Train("run"));
        Assert.Contains("pictures/s", text, StringComparison.Ordinal);
        Assert.Contains("bits per dimension", text, StringComparison.Ordinal);
        Assert.Contains("20 pictures came back within", text, StringComparison.Ordinal);
        foreach (string file in new[] { "best.safetensors", "pictures.png", "loss.png", "bits.png", "concatenation.png", "samples-3.png", "samples-6.png" })
        {
            Assert.True(File.Exists(Path.Combine(_line.In("run"), file)), file);
        }

        string[] metrics = File.ReadAllLines(Path.Combine(_line.In("run"), "metrics.jsonl"));
        JsonElement step = JsonDocument.Parse(metrics[0]).RootElement, test = JsonDocument.Parse(metrics[^1]).RootElement;
        Assert.Equal(
            BitsPerDim.FromNats(step.GetProperty("loss").GetDouble(), Pixels), step.GetProperty("bitsPerDim").GetDouble(), 1e-9);
        Assert.Equal(
            BitsPerDim.FromNats(test.GetProperty("testNll").GetDouble(), Pixels), test.GetProperty("testBitsPerDim").GetDouble(), 1e-9);
    }

    [Fact]
    public void Eval_gives_bits_the_error_of_repeats_and_the_best_model()
    {
        JsonElement trained = CommandLine.Json(Train("run"));
        JsonElement tested = CommandLine.Json("eval", _line.In("run"));
        double bits = tested.GetProperty("bitsPerDim").GetDouble();
        Assert.Equal(trained.GetProperty("bitsPerDim").GetDouble(), bits, 1e-6);
        Assert.Equal(BitsPerDim.FromNats(tested.GetProperty("negativeLogLikelihood").GetDouble(), Pixels), bits, 1e-9);
        Assert.Equal(JsonValueKind.Null, tested.GetProperty("repeatStandardError").ValueKind);
        JsonElement repeated = CommandLine.Json("eval", _line.In("run"), "--repeats", "4", "--points", "6", "--best");
        Assert.True(repeated.GetProperty("repeatStandardError").GetDouble() > 0);
        Assert.True(repeated.GetProperty("bitsPerDimStandardError").GetDouble() > 0);
    }

    [Fact]
    public void Samples_inverses_and_densities_of_pictures()
    {
        CommandLine.Succeed(Train("run"));
        string run = _line.In("run");
        JsonElement drawn = CommandLine.Json("sample", run, "--n", "5", "--out", _line.In("s.npy"));
        Assert.InRange(drawn.GetProperty("largestBlockErrorBound").GetDouble(), 0, 0.1);
        Points samples = PointFiles.Read(_line.In("s.npy"), Pixels);
        Assert.Equal(5, samples.Count);
        Assert.All(samples.Values, value => Assert.InRange(value, -0.01, 1.01));
        CommandLine.Succeed("sample", run, "-n", "5", "-o", _line.In("s.png"));
        Assert.True(new FileInfo(_line.In("s.png")).Length > 100);
        JsonElement inverted = CommandLine.Json("invert", run);
        Assert.Equal(100, inverted.GetProperty("points").GetInt32());
        Assert.Equal(100, inverted.GetProperty("withinBound").GetInt32());
        string bytes = _line.Save("bytes.csv", string.Join(',', Enumerable.Range(0, Pixels)) + "\n");
        foreach (string[] command in new string[][] { ["logprob", run, bytes, "-o", _line.In("b.csv")], ["invert", run, bytes] })
        {
            string refusal = CommandLine.Fail(ExitCode.Data, command);
            Assert.EndsWith("line 1 has 2, but the numbers of pictures lie from 0 to 1; divide bytes by 256", refusal, StringComparison.Ordinal);
        }

        JsonElement densities = CommandLine.Json("logprob", run, _line.In("s.npy"), "-o", _line.In("l.csv"), "--repeats", "2");
        Assert.Equal(
            BitsPerDim.FromNats(-densities.GetProperty("meanLogDensity").GetDouble(), Pixels), densities.GetProperty("meanBitsPerDim").GetDouble(), 1e-9);
    }

    [Fact]
    public void Epochs_are_steps_of_the_data()
    {
        int rows = MnistSample.Load().Training.Count;
        double epochs = 5 * 32.0 / rows;
        JsonElement result = CommandLine.Json([
            "train", "mnist", "--epochs", epochs.ToString(System.Globalization.CultureInfo.InvariantCulture), "--out", _line.In("run"), "--threads", "1",
            "--set", "evaluation.points=4", .. s_tiny]);
        Assert.Equal(5, result.GetProperty("steps").GetInt64());
        Assert.Contains("one of them", CommandLine.Fail(ExitCode.Usage, "train", "mnist", "--epochs", "1", "--steps", "2"), StringComparison.Ordinal);
        Assert.Contains("never end", CommandLine.Fail(ExitCode.Usage, "train", "moons", "--epochs", "1"), StringComparison.Ordinal);
        Assert.Contains("positive", CommandLine.Fail(ExitCode.Usage, "train", "mnist", "--epochs", "-1"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hybrid")]
    [InlineData("classification")]
    public void Tasks_are_trained_tested_and_resumed_bit_for_bit(string task)
    {
        string[] more = ["--task", task, "--set", "task.headChannels=4", "--set", "task.weight=0.1"];
        JsonElement trained = CommandLine.Json([.. Train("whole"), .. more]);
        Assert.InRange(trained.GetProperty("accuracy").GetDouble(), 0, 1);
        Assert.Equal(task == "hybrid" ? JsonValueKind.Number : JsonValueKind.Null, trained.GetProperty("bitsPerDim").ValueKind);
        Assert.Equal(
            trained.GetProperty("accuracy").GetDouble(), CommandLine.Json("eval", _line.In("whole")).GetProperty("accuracy").GetDouble());
        Assert.Contains("accuracy", CommandLine.Succeed("eval", _line.In("whole")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_line.In("whole"), "accuracy.png")));

        using var stop = new CancellationTokenSource();
        using var output = new StopAfterFirstLine(stop);
        Assert.Equal(ExitCode.Interrupted, Program.Run([.. Train("parts"), .. more], output, TextWriter.Null, cancellation: stop.Token));
        CommandLine.Succeed("train", "--resume", _line.In("parts"), "--threads", "2");
        foreach (string file in new[] { "model.safetensors", "best.safetensors" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(_line.In("whole"), file)), File.ReadAllBytes(Path.Combine(_line.In("parts"), file)));
        }
    }

    [Fact]
    public void Tasks_that_do_not_fit_are_refused()
    {
        Assert.Contains("did you mean 'hybrid'", CommandLine.Fail(ExitCode.Usage, "train", "mnist", "--task", "hybird"), StringComparison.Ordinal);
        Assert.Contains("labels", CommandLine.Fail(ExitCode.Usage, "train", "moons", "--task", "hybrid", "--out", _line.In("no")), StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_are_compared_in_one_picture()
    {
        CommandLine.Succeed(Train("a"));
        CommandLine.Succeed([.. Train("b"), "--seed", "1"]);
        string figure = _line.In("curves.png"), toy = _line.TrainTiny("toy");
        JsonElement result = CommandLine.Json("plot", "--compare", _line.In("a"), _line.In("b"), "--out", figure);
        Assert.True(File.Exists(figure));
        Assert.Equal("bits per dimension", result.GetProperty("unit").GetString());
        Assert.Equal([2, 2], result.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("tests").GetInt32()));
        Assert.Contains("last", CommandLine.Succeed("plot", "--compare", toy, toy, "--out", figure), StringComparison.Ordinal);
        Assert.Contains("two or more", CommandLine.Fail(ExitCode.Usage, "plot", "--compare", toy), StringComparison.Ordinal);
        Assert.Contains(".png", CommandLine.Fail(ExitCode.Usage, "plot", "--compare", toy, toy, "--out", "x.csv"), StringComparison.Ordinal);
        Assert.Contains("--compare", CommandLine.Fail(ExitCode.Usage, "plot", toy, toy), StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_step_makes_pictures_up_where_there_are_none()
    {
        JsonElement result = CommandLine.Json(["bench", "step", "--data", "cifar10", "--batch", "4", "--steps", "2", "--threads", "1", .. s_tiny[..^2]]);
        Assert.Contains("made-up pictures of 32x32x3", result.GetProperty("madeUp").GetString(), StringComparison.Ordinal);
        Assert.Equal(result.GetProperty("medianMs").GetDouble() / 4, result.GetProperty("msPerImage").GetDouble(), 1e-9);
        Assert.True(result.GetProperty("peakWorkingSetMiB").GetDouble() > 10);
        JsonElement points = CommandLine.Json("bench", "step", "--batch", "84", "--steps", "1", "--threads", "1");
        Assert.Equal(JsonValueKind.Null, points.GetProperty("msPerImage").ValueKind);
    }

    private string[] Train(string name) =>
    [
        "train", "mnist", "--steps", "6", "--out", _line.In(name), "--threads", "1", "--set", "evaluation.points=8", "--set", "testInterval=3",
        "--set", "metricsInterval=2", .. s_tiny,
    ];

    /// <summary>Asks to stop once something was written.</summary>
    private sealed class StopAfterFirstLine(CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            stop.Cancel();
        }
    }
}
