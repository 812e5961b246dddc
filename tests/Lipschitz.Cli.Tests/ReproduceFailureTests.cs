namespace Lipschitz.Cli.Tests;

/// <summary>Reproductions that cannot begin, and cells that fail beside others.</summary>
public sealed class ReproduceFailureTests : SmallPaper
{
    [Fact]
    public void A_run_of_another_configuration_is_refused_before_anything_is_trained()
    {
        WriteExperiments();
        CommandLine.Succeed(["train", "moons", "--model", "idensenet-lc", "--set", "training.holdConcatenation=10", "--seed", "3", "--out", Run("points/moons-learned-0"), .. SmallOptions]);
        string error = CommandLine.Fail(ExitCode.Data, "reproduce", Paper, "--only", "points");
        Assert.Contains("holds another run than points/moons-learned-0: its seed is 3, expected 0", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Run("points/moons-plain-0")));
        Directory.Delete(Run("points/moons-learned-0"), recursive: true);
        Directory.CreateDirectory(Run("points/moons-learned-0"));
        File.WriteAllText(Path.Combine(Run("points/moons-learned-0"), "precious"), "");
        Assert.Contains("holds files but no run", CommandLine.Fail(ExitCode.Data, "reproduce", Paper, "--only", "points"), StringComparison.Ordinal);
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

    [Fact]
    public void Wrong_command_lines_and_experiments_are_refused()
    {
        WriteExperiments();
        Refuse(ExitCode.Usage, "unknown group of experiments 'point'; did you mean 'points'?", "--only", "point");
        Assert.Contains("there is no folder", CommandLine.Fail(ExitCode.Data, "reproduce", Line.In("none")), StringComparison.Ordinal);
        Assert.Contains("experiments.json", CommandLine.Fail(ExitCode.Data, "reproduce", Line.Folder), StringComparison.Ordinal);
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
}
