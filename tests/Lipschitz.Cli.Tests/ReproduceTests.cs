using System.Text.Json;
using System.Text.Json.Nodes;
using Lipschitz.Checkpoints;
using Lipschitz.Core.Tests.Data;
using Lipschitz.Data;
using Lipschitz.Models;

namespace Lipschitz.Cli.Tests;

/// <summary>Reproductions that finish.</summary>
public sealed class ReproduceTests : SmallPaper
{
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
    public void A_run_of_train_is_taken_as_it_is_and_measured()
    {
        WriteExperiments();
        CommandLine.Succeed(["train", "moons", "--model", "idensenet", "--seed", "0", "--out", Run("points/moons-plain-0"), .. SmallOptions]);
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
    public void A_second_group_of_pictures_has_figures_of_its_own_which_are_explained()
    {
        WriteExperiments();
        string path = Path.Combine(Paper, "experiments.json"), digits = Line.In("digits");
        JsonNode experiments = JsonNode.Parse(File.ReadAllText(path))!;
        JsonNode start = experiments["groups"]!.AsArray().Single(group => (string?)group!["name"] == "digits")!.DeepClone();
        start["name"] = "start";
        experiments["groups"]!.AsArray().Add(start);
        File.WriteAllText(path, experiments.ToJsonString());
        PictureFiles.WriteMnist(digits);
        CommandLine.Succeed("reproduce", Paper, "--only", "start", "--steps", "1", "--data", "mnist=" + digits, "--threads", "1");
        foreach (string figure in new[] { "figure4", "curves-mnist", "figure3-mnist" })
        {
            Assert.True(File.Exists(Path.Combine(Paper, "results", "figures", figure + "-start.png")));
            Assert.False(File.Exists(Path.Combine(Paper, "results", "figures", figure + ".png")));
        }

        string captions = Table("figures/README.md");
        Assert.Contains("Figure 4: samples", captions, StringComparison.Ordinal);
        Assert.Contains("Figure 3: heat maps", captions, StringComparison.Ordinal);
        Assert.DoesNotContain("Figure 5: ", captions, StringComparison.Ordinal);
        Assert.Contains("- `figure3-mnist-start.png`: runs start-1/mnist-flow-0 (1 steps); mean normalised e2", captions, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_elsewhere_have_their_results_beside_them()
    {
        WriteExperiments();
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--model", "plain", "--steps", "1", "--threads", "1");
        string table = Table("table1.md"), elsewhere = Line.In("elsewhere");
        CommandLine.Succeed("reproduce", Paper, "--only", "points", "--model", "learned", "--steps", "2", "--threads", "1", "--runs", elsewhere);
        Assert.Equal(table, Table("table1.md"));
        Assert.Contains("a trial of 2 steps", File.ReadAllText(Path.Combine(elsewhere, "results", "table1.md")), StringComparison.Ordinal);
        Refuse(ExitCode.Data, "there is no folder", "--report", "--runs", Line.In("nowhere"));
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
        string digits = Line.In("digits");
        PictureFiles.WriteMnist(digits);
        Refuse(ExitCode.Usage, "digits/mnist-flow-0 needs the whole set: give --data mnist=PATH", "--only", "digits");
        Refuse(ExitCode.Usage, "expected NAME=PATH, NAME being mnist", "--data", digits);
        Refuse(ExitCode.Data, "there is no file or folder", "--data", "mnist=" + Line.In("none"));
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
}
