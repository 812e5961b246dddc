using System.Text.Json;
using Lipschitz.Checkpoints;
using Lipschitz.Cli.Reproduction;
using Lipschitz.Core.Tests.Data;
using Lipschitz.Cpu;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Cli.Tests;

public sealed class ReproduceTests : IDisposable
{
    private const string Small =
        "\"model.blocks=2\", \"model.depth=2\", \"model.growth=8\", \"training.batch=64\", \"evaluation.points=100\", \"training.steps=20\"";

    private static readonly string[] s_small =
    [
        "--set", "model.blocks=2", "--set", "model.depth=2", "--set", "growth=8", "--set", "batch=64", "--set", "evaluation.points=100",
        "--steps", "20", "--threads", "1",
    ];

    private readonly CommandLine _line = new();

    private string Paper => _line.In("paper");

    public void Dispose() => _line.Dispose();

    [Fact]
    public void Cells_are_run_then_skipped_and_the_table_holds_their_numbers()
    {
        WriteExperiments();
        string text = CommandLine.Succeed("reproduce", Paper, "--only", "points", "--threads", "1");
        Assert.Contains("[1/2] points/moons-plain-0: finished, ", text, StringComparison.Ordinal);
        Assert.Contains("step 20/20", text, StringComparison.Ordinal);
        JsonElement result = Result("points/moons-learned-0");
        double test = result.GetProperty("test").GetDouble(), error = result.GetProperty("standardError").GetDouble();
        Assert.Equal(
            CommandLine.Json("eval", Run("points/moons-learned-0"), "--points", "500").GetProperty("negativeLogLikelihood").GetDouble(), test, 1e-6);
        Assert.Equal((500, 20), (result.GetProperty("points").GetInt32(), result.GetProperty("steps").GetInt32()));
        Assert.Equal(("Exact", "nats"), (result.GetProperty("logDet").GetString(), result.GetProperty("unit").GetString()));
        Assert.Equal(ToyDensities.Find("moons").Entropy, result.GetProperty("entropy").GetDouble());
        Assert.True(result.GetProperty("certified").GetBoolean());
        Assert.InRange(result.GetProperty("largestBlockBound").GetDouble(), 0.01, 0.999);
        Assert.InRange(result.GetProperty("roundTripError").GetDouble(), 0, 1e-3);
        Assert.True(result.GetProperty("roundTripBlockBound").GetDouble() > 0);

        string table = Table("table1.md");
        double entropy = ToyDensities.Find("moons").Entropy!.Value;
        string row = $"| moons | Learned | {test:0.0000} ± {error:0.0000} | 2.39 | {test - 2.39:+0.0000;-0.0000} | 2.394 |"
            + $" {test - entropy:+0.0000;-0.0000} | 0 | 20 | 500 | ";
        Assert.Contains(row, table, StringComparison.Ordinal);
        Assert.Contains("None of the 2 finished cells of known entropy is below it", table, StringComparison.Ordinal);
        Assert.Contains("Every block of all 2 finished models is proven", table, StringComparison.Ordinal);
        Assert.Contains("- moons: Plain ", table, StringComparison.Ordinal);
        Assert.DoesNotContain("- mnist: ", table, StringComparison.Ordinal); // one model has no order
        Assert.Contains("1 of 2 cells are not finished; run them with", Table("budget.md"), StringComparison.Ordinal);
        foreach (string figure in new[] { "figure1.png", "figure2a.png", "figure2b.png", "figure3.png" })
        {
            Assert.InRange(new FileInfo(Path.Combine(Paper, "results", "figures", figure)).Length, 1000, 300_000);
        }

        Assert.Contains("`figure1.png`: runs points/moons-learned-0 (20 steps)", Table("figures/README.md"), StringComparison.Ordinal);

        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(Run("points/moons-plain-0"), "model.safetensors"));
        JsonElement again = CommandLine.Json("reproduce", Paper, "--only", "points", "--threads", "1");
        Assert.All(again.GetProperty("cells").EnumerateArray(), cell => Assert.Equal("finished before", cell.GetProperty("state").GetString()));
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(Run("points/moons-plain-0"), "model.safetensors")));
        Assert.Equal(table, Table("table1.md"));
    }

    [Fact]
    public void A_stopped_run_is_continued_to_the_same_model()
    {
        WriteExperiments();
        (int code, string error) = RunUntil("moons, Plain: ");
        Assert.Equal(ExitCode.Interrupted, code);
        Assert.Equal("points/moons-plain-0: stopped at step 0 of 20, checkpoint saved; continue with the same command\n", error);
        Assert.Contains("| moons | Plain | unfinished, near step 0 |", Table("table1.md"), StringComparison.Ordinal);
        TrainHalf(Run("points/moons-plain-0"));
        Assert.Contains(", from step 10, ", CommandLine.Succeed("reproduce", Paper, "--only", "points", "--threads", "1"), StringComparison.Ordinal);
        CommandLine.Succeed(["train", "moons", "--model", "idensenet", "--out", _line.In("whole"), .. s_small]);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_line.In("whole"), "model.safetensors")),
            File.ReadAllBytes(Path.Combine(Run("points/moons-plain-0"), "model.safetensors")));
    }

    [Fact]
    public void Ctrl_c_between_two_cells_keeps_the_first_one()
    {
        WriteExperiments();
        (int code, string error) = RunUntil("[1/2]");
        Assert.Equal((ExitCode.Interrupted, "stopped before points/moons-learned-0; continue with the same command\n"), (code, error));
        Assert.Contains("| moons | Learned | not yet run |", Table("table1.md"), StringComparison.Ordinal);
        string table = Table("table1.md");
        Assert.False(File.Exists(Path.Combine(Paper, "results", "figures", "figure2a.png")));
        Directory.Delete(Path.Combine(Paper, "results"), recursive: true);
        CommandLine.Succeed("reproduce", Paper, "--report");
        Assert.Equal(table, Table("table1.md"));
        Assert.True(File.Exists(Path.Combine(Paper, "results", "figures", "figure2a.png")));
        Assert.False(Directory.Exists(Run("points/moons-learned-0")));
        string command = $"`lipschitz reproduce {Path.GetFileName(_line.Folder)}/paper --only points`";
        Assert.Contains($"1 of 2 cells are not finished; run them with {command}", Table("table1.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_of_train_is_taken_as_it_is_and_measured()
    {
        WriteExperiments();
        CommandLine.Succeed(["train", "moons", "--model", "idensenet", "--seed", "0", "--out", Run("points/moons-plain-0"), .. s_small]);
        byte[] model = File.ReadAllBytes(Path.Combine(Run("points/moons-plain-0"), "model.safetensors"));
        foreach (bool hasState in new[] { true, false })
        {
            if (!hasState)
            {
                File.Delete(Path.Combine(Run("points/moons-plain-0"), "training.safetensors")); // as in a fresh clone
                File.Delete(Path.Combine(Run("points/moons-plain-0"), "result.json"));
            }

            CommandLine.Succeed("reproduce", Paper, "--only", "points", "--threads", "1");
            Assert.False(Result("points/moons-plain-0").GetProperty("trainedHere").GetBoolean());
            Assert.Equal(model, File.ReadAllBytes(Path.Combine(Run("points/moons-plain-0"), "model.safetensors")));
        }
    }

    [Fact]
    public void Scaled_weights_are_reported_also_after_a_kill_between_the_scaling_and_the_result()
    {
        WriteExperiments(plain: """
            "model.branch=Residual", "model.hidden=[16]", "model.activation=MaxMin", "model.coefficient=2", "training.warmupSteps=0", "training.learningRate=0.1"
            """);
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--model", "plain", "--threads", "1");
        JsonElement first = Result("points/moons-plain-0");
        Assert.True(first.GetProperty("certified").GetBoolean());
        Assert.InRange(first.GetProperty("scaledWeights").GetInt32(), 1, 6);
        Assert.NotEqual(0, first.GetProperty("scalingChange").GetDouble());
        Assert.Contains("In 1 of them weights were scaled down", Table("table1.md"), StringComparison.Ordinal);
        byte[] model = File.ReadAllBytes(Path.Combine(Run("points/moons-plain-0"), "model.safetensors"));
        File.Delete(Path.Combine(Run("points/moons-plain-0"), "result.json"));
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--model", "plain", "--threads", "1");
        JsonElement second = Result("points/moons-plain-0");
        foreach (string key in new[] { "scaledWeights", "scalingChange", "test", "largestBlockBound" })
        {
            Assert.Equal(first.GetProperty(key).GetDouble(), second.GetProperty(key).GetDouble());
        }

        Assert.Equal(model, File.ReadAllBytes(Path.Combine(Run("points/moons-plain-0"), "model.safetensors")));
    }

    [Fact]
    public void A_run_of_another_configuration_is_refused_before_anything_is_trained()
    {
        WriteExperiments();
        CommandLine.Succeed(["train", "moons", "--model", "idensenet-lc", "--set", "training.holdConcatenation=10", "--seed", "3", "--out", Run("points/moons-learned-0"), .. s_small]);
        string error = CommandLine.Fail(ExitCode.Data, "reproduce", Paper, "--only", "points");
        Assert.Contains("holds another run than points/moons-learned-0: its seed is 3, expected 0", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Run("points/moons-plain-0")));
        Directory.Delete(Run("points/moons-learned-0"), recursive: true);
        Directory.CreateDirectory(Run("points/moons-learned-0"));
        File.WriteAllText(Path.Combine(Run("points/moons-learned-0"), "precious"), "");
        Assert.Contains("holds files but no run", CommandLine.Fail(ExitCode.Data, "reproduce", Paper, "--only", "points"), StringComparison.Ordinal);
    }

    [Fact]
    public void Trials_and_other_seeds_have_folders_and_rows_of_their_own()
    {
        WriteExperiments();
        CommandLine.Succeed("reproduce", Paper, "--only", "more", "--steps", "4", "--seeds", "2", "--threads", "1");
        Assert.Equal(4, Result("points-4/moons-learned-1").GetProperty("steps").GetInt32());
        Configuration trial = RunDirectory.Open(Run("points-4/moons-learned-1")).Configuration;
        Assert.Equal((4, 1UL), (trial.Training.Steps, trial.Seed));
        Assert.Equal(2, trial.Training.HoldConcatenation); // for half of the steps, as in the experiment
        Assert.Equal(1, trial.Training.TestInterval);
        Assert.Equal((0, 0.9), (trial.Training.WarmupSteps, trial.Model.Coefficient)); // of its own group, points
        Configuration wide = RunDirectory.Open(Run("more-4/moons-wide-0")).Configuration;
        Assert.Equal(0.95, wide.Model.Coefficient); // its own, after its group's 0.8
        Assert.Equal((2, 0.59049), (wide.Training.WarmupSteps, wide.Training.AverageDecay)); // half of the steps, and as many averages' spans
        string table = Table("budget.md");
        Assert.Contains("| moons | Learned | 0.864 | not yet run |", table, StringComparison.Ordinal);
        string rows = table.Split("a trial of 4 steps, not the experiment")[1];
        double mean = new[] { 0, 1 }.Average(seed => Result($"points-4/moons-learned-{seed}").GetProperty("test").GetDouble());
        Assert.Contains($"| moons | Learned | 0.864 | {mean:0.0000} ± ", rows, StringComparison.Ordinal);
        Assert.Contains("| 0, 1 (", rows, StringComparison.Ordinal);
        Assert.Contains("a trial of 4 steps", Table("table1.md"), StringComparison.Ordinal); // the group that the model is from
    }

    [Fact]
    public void A_second_group_of_points_has_figures_of_its_own()
    {
        WriteExperiments();
        string path = Path.Combine(Paper, "experiments.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"table\": \"budget\"", "\"table\": \"table1\"", StringComparison.Ordinal));
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--only", "more", "--steps", "1", "--threads", "1");
        string captions = Table("figures/README.md");
        Assert.Contains("- `figure2a.png`: runs points-1/moons-plain-0 (1 steps), points-1/moons-learned-0 (1 steps)", captions, StringComparison.Ordinal);
        Assert.Contains("- `figure2a-more.png`: runs points-1/moons-learned-0 (1 steps), more-1/moons-wide-0 (1 steps)", captions, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Paper, "results", "figures", "figure3-more.png")));
    }

    [Fact]
    public void Runs_elsewhere_have_their_results_beside_them()
    {
        WriteExperiments();
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--model", "plain", "--steps", "1", "--threads", "1");
        string table = Table("table1.md"), elsewhere = _line.In("elsewhere");
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--model", "learned", "--steps", "2", "--threads", "1", "--runs", elsewhere);
        Assert.Equal(table, Table("table1.md"));
        Assert.Contains("a trial of 2 steps", File.ReadAllText(Path.Combine(elsewhere, "results", "table1.md")), StringComparison.Ordinal);
        Refuse(ExitCode.Data, "there is no folder", "--report", "--runs", _line.In("nowhere"));
        Assert.Equal(table, Table("table1.md"));
    }

    [Fact]
    public void Only_the_models_asked_for_are_run()
    {
        WriteExperiments();
        JsonElement cells = CommandLine.Json("reproduce", Paper, "--only", "points", "--model", "learned", "--steps", "1", "--threads", "1").GetProperty("cells");
        Assert.Equal("points-1/moons-learned-0", Assert.Single(cells.EnumerateArray()).GetProperty("name").GetString());
        Assert.False(Directory.Exists(Run("points-1/moons-plain-0")));
        Refuse(ExitCode.Usage, "unknown model 'lerned'; did you mean 'learned'?", "--only", "points", "--model", "lerned");
        Refuse(ExitCode.Usage, "unknown model 'flow'", "--only", "points", "--model", "flow"); // of another group
    }

    [Fact]
    public void Pictures_need_their_place_and_the_sample_of_the_library_does_not_do()
    {
        WriteExperiments();
        string digits = _line.In("digits");
        PictureFiles.WriteMnist(digits);
        Refuse(ExitCode.Usage, "digits/mnist-flow-0 needs the whole set: give --data mnist=PATH", "--only", "digits");
        Refuse(ExitCode.Usage, "expected NAME=PATH, NAME being mnist", "--data", digits);
        Refuse(ExitCode.Data, "there is no file or folder", "--data", "mnist=" + _line.In("none"));
        CommandLine.Succeed("reproduce", Paper, "--only", "digits", "--data", "mnist=" + digits, "--threads", "1");
        JsonElement result = Result("digits/mnist-flow-0");
        Assert.Equal("bits per dimension", result.GetProperty("unit").GetString());
        Assert.Contains("| mnist | Flow | ", Table("table1.md"), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Paper, "results", "figures", "figure4.png")));
        CommandLine.Succeed("reproduce", Paper, "--only", "digits"); // finished: needs no pictures any more

        string configuration = Path.Combine(Run("digits/mnist-flow-0"), "config.json");
        string[] lines = File.ReadAllLines(configuration);
        File.WriteAllLines(configuration, lines.Where(line => !line.Contains("dataPath", StringComparison.Ordinal)));
        Refuse(ExitCode.Data, "on the sample of mnist that comes with the library");
    }

    [Fact]
    public void A_run_that_another_process_works_on_is_left_to_it()
    {
        WriteExperiments();
        using (RunClaim.TryTake(Run("points/moons-plain-0")))
        {
            string text = CommandLine.Succeed("reproduce", Paper, "--only", "points", "--threads", "1");
            Assert.Contains("[1/2] points/moons-plain-0: left out; another process works on it", text, StringComparison.Ordinal);
            Assert.Contains("[2/2] points/moons-learned-0: finished", text, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.GetFiles(Run("points")));
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--threads", "1");
        Assert.DoesNotContain("not yet run", Table("table1.md").Split("## Digits")[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_cell_that_diverges_is_exit_code_4_and_does_not_stop_the_others()
    {
        WriteExperiments(plain: "\"training.learningRate=1e30\"");
        (int code, string output, string error) = CommandLine.Run("reproduce", Paper, "--only", "points", "--threads", "1");
        Assert.Equal(ExitCode.Numerical, code);
        Assert.Contains("1 of 2 cells failed: points/moons-plain-0: step ", error, StringComparison.Ordinal);
        Assert.Contains("[2/2] points/moons-learned-0: finished", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_run_is_left_out_and_does_not_stop_the_others()
    {
        WriteExperiments();
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--threads", "1", "--points", "300");
        Assert.Equal(300, Result("points/moons-plain-0").GetProperty("points").GetInt32());
        string plain = Run("points/moons-plain-0"), model = Path.Combine(plain, "model.safetensors"), result = Path.Combine(plain, "result.json");
        byte[] bytes = File.ReadAllBytes(model);
        File.WriteAllBytes(model, bytes[..^1]);
        string text = CommandLine.Succeed("reproduce", Paper, "--report");
        Assert.Contains("figures without points/moons-plain-0: ", text, StringComparison.Ordinal);
        string captions = Table("figures/README.md");
        Assert.Contains("`figure2a.png`: runs points/moons-learned-0 (20 steps)", captions, StringComparison.Ordinal);
        File.WriteAllBytes(model, bytes);

        File.WriteAllText(result, "{");
        CommandLine.Succeed("reproduce", Paper, "--report");
        Assert.Contains("| moons | Plain | unfinished, near step 20 |", Table("table1.md"), StringComparison.Ordinal);
        Refuse(ExitCode.Data, "delete it to have the run measured again");

        File.Delete(result);
        File.WriteAllBytes(Path.Combine(plain, "training.safetensors"), [1, 2, 3]);
        string learned = Path.Combine(Run("points/moons-learned-0"), "result.json");
        File.Delete(learned);
        (int code, string output, string error) = CommandLine.Run("reproduce", Paper, "--only", "points", "--threads", "1");
        Assert.Equal(ExitCode.Data, code);
        Assert.Contains("1 of 2 cells failed: points/moons-plain-0: ", error, StringComparison.Ordinal);
        Assert.Contains("[2/2] points/moons-learned-0: finished", output, StringComparison.Ordinal);
        Assert.True(File.Exists(learned));
    }

    [Theory]
    [InlineData(2.6, 2.4, 2.4, "Plain 2.6000 > Learned 2.4000 ≈ Learned 2.4000", true)]
    [InlineData(2.6, 2.4, 2.4001, "Plain 2.6000 > Learned 2.4000 ≈ Learned 2.4001", true)]
    [InlineData(2.6, 2.4, 2.41, "Plain 2.6000 > Learned 2.4000 < Learned 2.4100", false)]
    [InlineData(2.4, 2.4001, 2.3, "Plain 2.4000 ≈ Learned 2.4001 > Learned 2.3000", false)]
    [InlineData(2.4001, 2.4, 2.3, "Plain 2.4001 ≈ Learned 2.4000 > Learned 2.3000", false)]
    public void Two_standard_errors_make_an_order(double first, double second, double third, string text, bool holds)
    {
        WriteExperiments();
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--steps", "1", "--threads", "1");
        var catalogue = new Catalogue(ExperimentsFile.Read(Paper), Path.Combine(Paper, "runs"));
        IReadOnlyList<CellSummary> cells = catalogue.Summaries(catalogue.Experiments.Group("points"), 1);
        CellSummary With(CellSummary cell, double test) => cell with { Results = [cell.Results[0] with { Test = test, StandardError = 0.002 }] };
        string sentence = Findings.Order([With(cells[0], first), With(cells[1], second), With(cells[1], third)]);
        Assert.StartsWith($"moons: {text}; the paper's order Plain > Learned ≥ Learned {(holds ? "holds" : "does not hold")} with 1 seed each", sentence);
    }

    [Fact]
    public void One_seed_below_the_entropy_is_not_hidden_by_the_mean()
    {
        WriteExperiments();
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--steps", "1", "--threads", "1");
        var catalogue = new Catalogue(ExperimentsFile.Read(Paper), Path.Combine(Paper, "runs"));
        CellSummary cell = catalogue.Summaries(catalogue.Experiments.Group("points"), 1)[0];
        CellResult Result(double test) => cell.Results[0] with { Test = test, StandardError = 0.01 };
        Assert.False((cell with { Results = [Result(2.38), Result(2.5)] }).IsImpossible);
        Assert.True((cell with { Results = [Result(2.37), Result(2.5)] }).IsImpossible); // 2.394 - 0.024
    }

    [Fact]
    public void Wrong_command_lines_and_experiments_are_refused()
    {
        WriteExperiments();
        Refuse(ExitCode.Usage, "unknown group of experiments 'point'; did you mean 'points'?", "--only", "point");
        Assert.Contains("there is no folder", CommandLine.Fail(ExitCode.Data, "reproduce", _line.In("none")), StringComparison.Ordinal);
        Assert.Contains("experiments.json", CommandLine.Fail(ExitCode.Data, "reproduce", _line.Folder), StringComparison.Ordinal);
        Refuse(ExitCode.Usage, "--seeds needs a whole number of at least 1", "--seeds", "0");
        foreach ((string old, string replacement, string reason) in new[]
        {
            ("\"title\": \"Points\"", "\"title\": \"Points\", \"colour\": 1", "unknown key 'colour' in line"),
            ("\"title\": \"Points\",", "", "missing 'title' in line"),
            ("\"paper\"", "paper", "no JSON"),
            ("idensenet-lc", "idensnet-lc", "learned of points on moons: unknown preset 'idensnet-lc'; did you mean 'idensenet-lc'?"),
            ("model.growth=8", "model.groth=8", "plain of points on moons: --set: unknown key 'model.groth'"),
            ("\"name\": \"moons\"", "\"name\": \"mons\"", "plain of points on mons: unknown data set 'mons'; did you mean 'moons'?"),
            ("\"from\": \"points\"", "\"from\": \"digits\"", "learned of more on moons is said to be from digits, which does not train it"),
            ("\"plain\": 2.6", "\"plan\": 2.6", "points publishes a result of plan on moons"),
            ("\"more\"", "\"points\"", "the group 'points' is there twice"),
            ("\"more\"", "\"../more\"", "must be named by lower-case letters"),
            ("\"table1\"", "\"table9\"", "another kind than expected in line"),
        })
        {
            string path = Path.Combine(Paper, "experiments.json"), good = File.ReadAllText(path);
            Assert.Contains(old, good, StringComparison.Ordinal);
            File.WriteAllText(path, good.Replace(old, replacement, StringComparison.Ordinal));
            string error = CommandLine.Fail(ExitCode.Data, "reproduce", Paper);
            Assert.Contains(path + ": ", error, StringComparison.Ordinal);
            Assert.Contains(reason, error, StringComparison.Ordinal);
            File.WriteAllText(path, good);
        }
    }

    private void Refuse(int code, string reason, params string[] options) =>
        Assert.Contains(reason, CommandLine.Fail(code, ["reproduce", Paper, .. options]), StringComparison.Ordinal);

    private string Run(string name) => Path.Combine(Paper, "runs", name);

    private string Table(string name) => File.ReadAllText(Path.Combine(Paper, "results", name));

    private JsonElement Result(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Run(name), "result.json"))).RootElement;

    // Two models of points, one of them also in a second group, and one of pictures.
    private void WriteExperiments(string plain = "")
    {
        Directory.CreateDirectory(Paper);
        string more = plain.Length == 0 ? "" : ", " + plain;
        File.WriteAllText(Path.Combine(Paper, "experiments.json"), $$"""
            {
              "paper": "A paper",
              "groups": [
                {
                  "name": "points", "table": "table1", "title": "Points", "testPoints": 500,
                  "models": [
                    { "name": "plain", "title": "Plain", "preset": "idensenet", "set": [{{Small}}{{more}}] },
                    { "name": "learned", "title": "Learned", "preset": "idensenet-lc", "set": [{{Small}}, "training.holdConcatenation=10"] }
                  ],
                  "data": [{ "name": "moons", "published": { "plain": 2.6, "learned": 2.39 } }]
                },
                {
                  "name": "digits", "table": "table1", "title": "Digits",
                  "models": [
                    {
                      "name": "flow", "title": "Flow", "preset": "quick",
                      "set": ["pictures.size=8", "model.image.blocks=1", "model.image.fullyConnected=1", "model.depth=1", "model.growth=4",
                              "training.steps=2", "training.batch=2", "evaluation.points=2"]
                    }
                  ],
                  "data": [{ "name": "mnist" }]
                },
                {
                  "name": "more", "table": "budget", "title": "More", "set": ["training.warmupSteps=10", "training.averageDecay=0.9", "model.coefficient=0.8"],
                  "models": [
                    { "name": "learned", "title": "Learned", "from": "points" },
                    { "name": "wide", "title": "Wide", "preset": "idensenet", "set": [{{Small}}, "model.coefficient=0.95"] }
                  ],
                  "data": [{ "name": "moons" }]
                }
              ]
            }
            """);
    }

    // Stops as Ctrl+C does when the output says something.
    private (int Code, string Error) RunUntil(string text)
    {
        using var stop = new CancellationTokenSource();
        using var output = new StoppingWriter(text, stop);
        using var error = new StringWriter();
        int code = Program.Run(["reproduce", Paper, "--only", "points", "--threads", "1"], output, error, cancellation: stop.Token);
        return (code, error.ToString());
    }

    private static void TrainHalf(string path)
    {
        RunDirectory run = RunDirectory.Open(path);
        using var backend = CpuBackend.Create(threads: 1);
        var trainer = new Trainer(run.Configuration, backend, ToyDensities.Find("moons"));
        Assert.True(run.TryRestore(trainer));
        while (trainer.StepsDone < 10)
        {
            trainer.Step();
        }

        run.SaveModel(trainer);
        run.SaveTraining(trainer);
    }

    private sealed class StoppingWriter(string text, CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(text, StringComparison.Ordinal) == true)
            {
                stop.Cancel();
            }
        }
    }
}
