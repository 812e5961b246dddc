using System.Text.Json;
using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;

namespace Lipschitz.Cli.Tests;

public sealed class CommandTests : IDisposable
{
    private readonly CommandLine _line = new();

    public void Dispose() => _line.Dispose();

    [Fact]
    public void Train_writes_model_metrics_and_figures_and_says_so()
    {
        string text = CommandLine.Succeed(["train", "moons", "--steps", "20", "--out", _line.In("run"), .. CommandLine.Tiny]);
        Assert.Contains("moons, quick: ", text, StringComparison.Ordinal);
        Assert.Contains("step 20/20", text, StringComparison.Ordinal);
        Assert.Contains("test NLL", text, StringComparison.Ordinal);
        Assert.Contains("entropy     2.39", text, StringComparison.Ordinal);
        foreach (string file in new[] { "config.json", "model.safetensors", "training.safetensors", "metrics.jsonl", "density.png", "loss.png", "concatenation.png" })
        {
            Assert.True(File.Exists(Path.Combine(_line.In("run"), file)), file);
            Assert.Contains(file, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Eval_finds_what_train_found()
    {
        JsonElement trained = CommandLine.Json(["train", "moons", "--steps", "20", "--out", _line.In("run"), .. CommandLine.Tiny]);
        JsonElement tested = CommandLine.Json("eval", _line.In("run"));
        Assert.Equal(trained.GetProperty("negativeLogLikelihood").GetDouble(), tested.GetProperty("negativeLogLikelihood").GetDouble(), 1e-6);
        Assert.Equal("Exact", tested.GetProperty("logDet").GetString());
        Assert.Equal(ToyDensities.Find("moons").Entropy, tested.GetProperty("entropy").GetDouble());
        Assert.Equal(300, CommandLine.Json("eval", _line.In("run"), "--points", "300").GetProperty("points").GetInt32());
    }

    [Fact]
    public void Points_are_sampled_to_every_format_with_the_same_numbers()
    {
        string run = _line.TrainTiny();
        CommandLine.Succeed("sample", run, "-n", "50", "-o", _line.In("s.csv"), "--seed", "3");
        CommandLine.Succeed("sample", run, "-n", "50", "-o", _line.In("s.npy"), "--seed", "3");
        CommandLine.Succeed("sample", run, "-n", "50", "-o", _line.In("s.png"));
        Points csv = PointFiles.Read(_line.In("s.csv")), npy = PointFiles.Read(_line.In("s.npy"));
        Assert.Equal((50, 2), (csv.Count, csv.Width));
        Assert.Equal(csv.Values, npy.Values);
    }

    [Fact]
    public void Logprob_gives_one_value_a_row()
    {
        string run = _line.TrainTiny();
        string points = _line.Save("p.csv", "x,y\n0,0\n1,0.5\n-1,2\n");
        JsonElement result = CommandLine.Json("logprob", run, points, "-o", _line.In("l.csv"));
        CommandLine.Succeed("logprob", run, points, "-o", _line.In("l.npy"));
        Points csv = PointFiles.Read(_line.In("l.csv"), 1);
        Assert.Equal(3, csv.Count);
        Assert.Equal(csv.Values, PointFiles.Read(_line.In("l.npy"), 1).Values);
        Assert.Equal(csv.Values.Average(), result.GetProperty("meanLogDensity").GetDouble(), 1e-9);
    }

    [Fact]
    public void Invert_comes_back_within_the_bound()
    {
        string run = _line.TrainTiny();
        JsonElement result = CommandLine.Json("invert", run, "--tolerance", "1e-4");
        Assert.Equal(1000, result.GetProperty("points").GetInt32());
        Assert.True(result.GetProperty("measuredError").GetProperty("largest").GetDouble() < 1e-3);
        Assert.Contains("measured |x - x'|", CommandLine.Succeed("invert", run, _line.Save("p.csv", "1,2\n")), StringComparison.Ordinal);
    }

    [Fact]
    public void Logprob_of_a_random_determinant_says_so_and_gives_its_error_with_repeats()
    {
        string run = _line.TrainTiny("run", "--set", "evaluation.logDet.method=Roulette"), points = _line.Save("p.csv", "0,0\n1,0.5\n-1,2\n");
        string[] logprob = ["logprob", run, points, "-o", _line.In("l.csv")];
        (int code, _, string note) = CommandLine.Run(logprob);
        Assert.Equal(0, code);
        Assert.StartsWith("note: the log-determinant is random", Assert.Single(note.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Equal("log_density", File.ReadAllLines(_line.In("l.csv"))[0]);
        JsonElement four = CommandLine.Json([.. logprob, "--repeats", "4"]);
        Assert.Equal("log_density,standard_error", File.ReadAllLines(_line.In("l.csv"))[0]);
        Points rows = PointFiles.Read(_line.In("l.csv"), 2);
        Assert.Equal(3, rows.Count);
        double[] errors = [rows.Values[1], rows.Values[3], rows.Values[5]];
        Assert.All(errors, error => Assert.True(error > 0));
        Assert.Equal(errors.Average(), four.GetProperty("meanStandardError").GetDouble(), 1e-12);
        Assert.Equal(rows.Values, Values("0"));
        Assert.NotEqual(rows.Values, Values("1"));

        double[] Values(string seed)
        {
            CommandLine.Succeed([.. logprob, "--repeats", "4", "--seed", seed]);
            return PointFiles.Read(_line.In("l.csv"), 2).Values;
        }
    }

    [Fact]
    public void The_seed_of_a_test_is_that_of_its_log_determinant()
    {
        string run = _line.TrainTiny("run", "--set", "evaluation.logDet.method=Roulette");
        double[] tests = [.. new[] { "2", "3" }.Select(seed => CommandLine.Json("eval", run, "--seed", seed).GetProperty("negativeLogLikelihood").GetDouble())];
        Assert.Equal(CommandLine.Json("eval", run).GetProperty("negativeLogLikelihood").GetDouble(), tests[0]);
        Assert.NotEqual(tests[0], tests[1]);
        Assert.Equal(tests[0], tests[1], 0.5);
    }

    [Fact]
    public void The_best_model_is_used_where_it_is_asked_for()
    {
        string run = _line.TrainTiny("run", "--set", "testInterval=5"), points = _line.Save("p.csv", "0,0\n1,0.5\n");
        File.Copy(Path.Combine(_line.TrainTiny("other", "--seed", "9"), "model.safetensors"), Path.Combine(run, "best.safetensors"), overwrite: true);
        double last = CommandLine.Json("logprob", run, points, "-o", _line.In("l.csv")).GetProperty("meanLogDensity").GetDouble();
        double best = CommandLine.Json("logprob", run, points, "-o", _line.In("l.csv"), "--best").GetProperty("meanLogDensity").GetDouble();
        double other = CommandLine.Json("logprob", _line.In("other"), points, "-o", _line.In("l.csv")).GetProperty("meanLogDensity").GetDouble();
        Assert.NotEqual(last, best);
        Assert.Equal(other, best);
        string Errors(params string[] args) => CommandLine.Json(["invert", run, points, .. args]).GetProperty("residual").GetRawText();
        Assert.NotEqual(Errors(), Errors("--best"));
        CommandLine.Succeed("plot", run, "--out", _line.In("last"));
        CommandLine.Succeed("plot", run, "--out", _line.In("best"), "--best");
        Assert.NotEqual(File.ReadAllBytes(_line.In("last/density.png")), File.ReadAllBytes(_line.In("best/density.png")));
    }

    [Fact]
    public void Samples_in_parts_are_those_drawn_at_once()
    {
        using IBackend backend = ComputeOptions.OpenCpu(1);
        Flow flow = Runs.Load(Runs.Open(_line.TrainTiny()), best: false, backend);
        const int count = (256 * Flow.PointsPerShard) + 100;
        var parts = new SampleParts(flow, count, 5, 1e-3);
        double[][] drawn = [.. parts.Draw(CancellationToken.None)];
        Assert.Equal(2, drawn.Length);
        InverseReport whole = flow.Inverse(flow.Latents(count, 5), 1e-3);
        Assert.Equal(whole.Points, PointFiles.Joined(drawn));
        Assert.Equal(whole.BlockErrorBounds.Max(), parts.LargestBlockErrorBound);
        Assert.Equal(whole.ErrorBounds.Max(), parts.LargestErrorBound);
        Assert.Equal(whole.Iterations.Average(), parts.MeanIterations, 1e-9);
        foreach (string name in new[] { "p.csv", "p.npy" })
        {
            PointFiles.WriteParts(_line.In(name), drawn, count, ["x1", "x2"]);
            Assert.Equal(whole.Points, PointFiles.Read(_line.In(name), 2).Values);
        }
    }

    [Fact]
    public void Quantiles_are_of_nearest_rank()
    {
        JsonElement two = CommandLine.Json("invert", _line.TrainTiny(), _line.Save("p.csv", "0,0\n3,-4\n")).GetProperty("residual");
        Assert.Equal(two.GetProperty("largest").GetDouble(), two.GetProperty("percentile99").GetDouble());
        Assert.Equal((2 * two.GetProperty("mean").GetDouble()) - two.GetProperty("largest").GetDouble(), two.GetProperty("median").GetDouble(), 1e-12);
    }

    [Fact]
    public void Help_lists_the_presets_of_points_and_of_pictures()
    {
        string help = CommandLine.Succeed("train", "--help");
        Assert.Contains("points or pictures", help, StringComparison.Ordinal);
        Assert.Contains("for points quick", Flat(help), StringComparison.Ordinal);
        Assert.Contains("resflow-16", Flat(help), StringComparison.Ordinal);

        static string Flat(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Plot_draws_into_another_folder()
    {
        string run = _line.TrainTiny();
        JsonElement result = CommandLine.Json("plot", run, "--out", _line.In("figures"));
        Assert.Equal(3, result.GetProperty("files").GetArrayLength());
        Assert.True(File.Exists(_line.In("figures/density.png")));
    }

    [Theory]
    [InlineData("idensenet", 504_100, 504_120)]
    [InlineData("idensenet-lc", 504_180, 504_200)]
    [InlineData("resflow", 501_830, 501_850)]
    public void Inspect_counts_the_parameters_of_the_paper(string preset, long trained, long paper)
    {
        JsonElement result = CommandLine.Json("inspect", preset, "--data", "moons");
        Assert.Equal(trained, result.GetProperty("trainedParameters").GetInt64());
        Assert.Equal(paper, result.GetProperty("paperParameters").GetInt64());
        Assert.Equal(trained, result.GetProperty("parameters").EnumerateArray().Sum(p => p.GetProperty("count").GetInt64()));
    }

    [Fact]
    public void Inspect_shows_a_run_too() =>
        Assert.Contains("blocks.0 to blocks.1: 2 times", CommandLine.Succeed("inspect", _line.TrainTiny()), StringComparison.Ordinal);

    [Fact]
    public void A_file_of_points_in_three_dimensions_is_trained_on()
    {
        var random = new Random(1);
        double[] values = [.. Enumerable.Range(0, 300).Select(_ => random.NextDouble())];
        Npy.Write(_line.In("p.npy"), values, 100, 3);
        JsonElement result = CommandLine.Json(["train", _line.In("p.npy"), "--steps", "3", "--out", _line.In("run"), .. CommandLine.Tiny]);
        Assert.Equal(JsonValueKind.Null, result.GetProperty("entropy").ValueKind);
        Assert.False(File.Exists(_line.In("run/density.png")));
        CommandLine.Succeed("eval", _line.In("run"));
        CommandLine.Succeed("invert", _line.In("run"));
        CommandLine.Succeed("sample", _line.In("run"), "-n", "5", "-o", _line.In("s.npy"));
        Assert.Contains("in 3 dimensions", CommandLine.Fail(ExitCode.Usage, "sample", _line.In("run"), "-o", _line.In("s.png")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_stopped_by_ctrl_c_is_resumed_to_the_same_model()
    {
        string[] options = ["--set", "checkpointInterval=10", "--set", "metricsInterval=5", "--set", "testInterval=0"];
        string whole = _line.TrainTiny("whole", options);
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        string parts = _line.In("parts");
        int code = Program.Run(
            ["train", "moons", "--steps", "20", "--out", parts, .. CommandLine.Tiny, .. options], output, error, cancellation: stopped.Token);
        Assert.Equal(ExitCode.Interrupted, code);
        Assert.Equal($"stopped at step 0 of 20, checkpoint saved; continue with: lipschitz train --resume {parts}\n", error.ToString());
        File.WriteAllText(Path.Combine(parts, ".model.safetensors.0.tmp"), "left by a kill");
        CommandLine.Succeed("train", "--resume", parts, "--threads", "1");
        Assert.Empty(Directory.GetFiles(parts, ".*"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model.safetensors")), File.ReadAllBytes(Path.Combine(parts, "model.safetensors")));
        Assert.Equal(20, CommandLine.Json("train", "moons", "--resume", parts).GetProperty("steps").GetInt64());
        Assert.Contains("is on moons, not on circles", CommandLine.Fail(ExitCode.Usage, "train", "circles", "--resume", parts), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_on_a_file_that_has_moved_is_continued_from_its_new_place()
    {
        var random = new Random(1);
        Npy.Write(_line.In("p.npy"), [.. Enumerable.Range(0, 200).Select(_ => random.NextDouble())], 100, 2);
        string run = _line.In("run");
        CommandLine.Succeed(["train", _line.In("p.npy"), "--steps", "2", "--out", run, .. CommandLine.Tiny]);
        File.Move(_line.In("p.npy"), _line.In("q.npy"));
        Assert.Contains("--data PATH says where to", CommandLine.Fail(ExitCode.Data, "train", "--resume", run), StringComparison.Ordinal);
        Assert.Equal(2, CommandLine.Json("train", "--resume", run, "--data", _line.In("q.npy")).GetProperty("steps").GetInt64());
        string moons = _line.TrainTiny("moons");
        string error = CommandLine.Fail(ExitCode.Usage, "train", "--resume", moons, "--data", _line.In("q.npy"));
        Assert.Contains("is on moons as it comes with the library; --data does not go with it", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_has_one_writer_at_a_time()
    {
        string run = _line.TrainTiny("run");
        byte[] model = File.ReadAllBytes(Path.Combine(run, "model.safetensors"));
        using (RunClaim.Take(run))
        {
            foreach (string[] writer in new string[][] { ["train", "--resume", run + "/"], ["train", "moons", "--out", run], ["certify", run] })
            {
                Assert.Contains("another process is writing to", CommandLine.Fail(ExitCode.Usage, writer), StringComparison.Ordinal);
            }

            CommandLine.Succeed("eval", run); // readers are welcome
        }

        Assert.Equal(model, File.ReadAllBytes(Path.Combine(run, "model.safetensors")));
        CommandLine.Succeed("certify", run);
        Assert.False(File.Exists(run + ".lock"));
    }

    [Fact]
    public void Doctor_names_the_machine()
    {
        JsonElement result = CommandLine.Json("doctor");
        Assert.True(result.GetProperty("vectorBits").GetInt32() >= 64);
        Assert.StartsWith("found", result.GetProperty("backends").GetProperty("cpu").GetString(), StringComparison.Ordinal);
        Assert.Contains("back ends", CommandLine.Succeed("doctor"), StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_step_reports_time_floor_and_peak()
    {
        JsonElement result = CommandLine.Json("bench", "step", "--model", "quick", "--batch", "84", "--steps", "2", "--threads", "1");
        Assert.Equal(
            ["model", "parameters", "threads", "medianMs", "flopsPerStep", "gflops", "peakGflops", "fractionOfPeak"],
            result.EnumerateObject().Select(p => p.Name).Where(n => n is not (
                "data" or "madeUp" or "batch" or "backend" or "steps" or "minimumMs" or "msPerImage" or "madeFlopsPerStep" or "peakWorkingSetMiB" or "peakDeviceMiB")));
        Assert.True(result.GetProperty("fractionOfPeak").GetDouble() is > 0 and < 1.5);
    }

    [Fact]
    public void Help_has_examples_and_exit_codes()
    {
        string help = CommandLine.Succeed("--help");
        Assert.Contains("lipschitz train moons", help, StringComparison.Ordinal);
        Assert.Contains("130  stopped by Ctrl+C", help, StringComparison.Ordinal);
        foreach (string command in new[] { "train", "eval", "sample", "logprob", "invert", "plot", "inspect", "reproduce", "bench", "doctor" })
        {
            Assert.Contains($"lipschitz {command}", CommandLine.Succeed(command, "--help"), StringComparison.Ordinal);
        }
    }
}
