using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Data;
using Lipschitz.Training;

namespace Lipschitz.Cli.Tests;

/// <summary>Reproductions that are stopped, or share their cells with another process.</summary>
public sealed class ReproduceStopTests : SmallPaper
{
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
        CommandLine.Succeed(["train", "moons", "--model", "idensenet", "--out", Line.In("whole"), .. SmallOptions]);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Line.In("whole"), "model.safetensors")),
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
        string command = $"`lipschitz reproduce {Path.GetFileName(Line.Folder)}/paper --only points`";
        Assert.Contains($"1 of 2 cells are not finished; run them with {command}", Table("table1.md"), StringComparison.Ordinal);
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
