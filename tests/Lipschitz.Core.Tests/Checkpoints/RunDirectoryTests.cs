using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Core.Tests.Training;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Checkpoints;

public sealed class RunDirectoryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lipschitz-run-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Precision.Float32, 0)]
    [InlineData(Precision.Float64, 0)]
    [InlineData(Precision.Float32, 0.05)]
    public void Four_steps_and_six_resumed_ones_are_ten_steps_bit_for_bit(Precision precision, double muonRate)
    {
        Configuration configuration = TinyRun.Configuration with { Training = TinyRun.Configuration.Training with { MuonRate = muonRate } };
        Trainer straight = TinyRun.Create(configuration, precision);
        TinyRun.Run(straight, 10);
        RunDirectory run = RunDirectory.Create(Path.Combine(_folder, "run"), configuration);
        Trainer interrupted = TinyRun.Create(configuration, precision);
        TinyRun.Run(interrupted, 4);
        run.SaveTraining(interrupted);
        TinyRun.Run(interrupted, 1); // lost

        RunDirectory reopened = RunDirectory.Open(run.Path);
        Trainer resumed = TinyRun.Create(reopened.Configuration, precision);
        Assert.True(reopened.TryRestore(resumed));
        Assert.Equal(4, resumed.StepsDone);
        TinyRun.Run(resumed, 6);
        Assert.Equal(TinyRun.State(straight), TinyRun.State(resumed));
        straight.Test();
        run.SaveModel(straight);
        byte[] bytes = File.ReadAllBytes(run.In("model.safetensors"));
        reopened.SaveModel(resumed);
        Assert.Equal(bytes, File.ReadAllBytes(run.In("model.safetensors")));
    }

    [Fact]
    public void The_model_read_back_gives_the_densities_and_inverses_of_the_one_written()
    {
        RunDirectory run = NewRun();
        Trainer trainer = TinyRun.Create(TinyRun.Configuration);
        TinyRun.Run(trainer, 3);
        Assert.False(run.HasModel);
        run.SaveModel(trainer);
        Assert.True(run.HasModel);
        double[] x = [0.1, 0.2, -1, 1];
        Flow written = trainer.InferenceFlow(), read = run.LoadFlow(ReferenceBackend.Create(Precision.Float32));
        Assert.Equal(written.LogProb(x, new ExactDeterminant()).Values, read.LogProb(x, new ExactDeterminant()).Values);
        Assert.Equal(written.Inverse(x).Points, read.Inverse(x).Points);
        Assert.Equal(2, read.Width);
    }

    [Fact]
    public void The_configuration_survives_and_an_existing_run_is_not_overwritten()
    {
        RunDirectory run = NewRun();
        Assert.Equal(ConfigurationJson.Write(TinyRun.Configuration), ConfigurationJson.Write(RunDirectory.Open(run.Path).Configuration));
        Assert.Throws<IOException>(() => RunDirectory.Create(run.Path, TinyRun.Configuration));
    }

    [Fact]
    public void What_is_not_there_is_said_in_one_line()
    {
        RunDirectory run = NewRun();
        Assert.False(run.TryRestore(TinyRun.Create(TinyRun.Configuration)));
        OneLine(Assert.Throws<CheckpointFormatException>(() => RunDirectory.Open(Path.Combine(_folder, "nowhere"))));
        OneLine(Assert.Throws<CheckpointFormatException>(() => run.LoadFlow(ReferenceBackend.Create(Precision.Float32))));
        File.WriteAllText(run.In("config.json"), "{ \"name\": \"half");
        OneLine(Assert.Throws<CheckpointFormatException>(() => RunDirectory.Open(run.Path)));
    }

    [Fact]
    public void Truncated_files_are_refused_and_leave_the_trainer_as_it_was()
    {
        (RunDirectory run, byte[] good, Trainer trainer) = Saved();
        double[] before = TinyRun.State(trainer);
        for (int length = 0; length < good.Length; length += Math.Max(1, good.Length / 40))
        {
            Damage(run, trainer, good[..length]);
        }

        Damage(run, trainer, good[..^1]);
        Damage(run, trainer, [.. good, 0]);
        Assert.Equal(before, TinyRun.State(trainer));
    }

    [Fact]
    public void One_flipped_bit_anywhere_is_noticed()
    {
        (RunDirectory run, byte[] good, Trainer trainer) = Saved();
        double[] before = TinyRun.State(trainer);
        var random = new Random(1);
        int header = 8 + (int)BitConverter.ToUInt64(good);
        IEnumerable<int> places = Enumerable.Range(0, 40).Select(_ => random.Next(good.Length))
            .Concat(Enumerable.Range(0, 120).Select(_ => random.Next(header))).Concat(Enumerable.Range(0, 8));
        foreach (int place in places)
        {
            byte[] bad = [.. good];
            bad[place] ^= (byte)(1 << random.Next(8));
            Damage(run, trainer, bad);
        }

        Assert.Equal(before, TinyRun.State(trainer));
        File.WriteAllBytes(run.In("training.safetensors"), good);
        Assert.True(run.TryRestore(trainer));
    }

    [Fact]
    public void The_state_of_another_model_is_refused()
    {
        (RunDirectory run, _, Trainer trainer) = Saved();
        double[] before = TinyRun.State(trainer);
        foreach (Func<ModelSettings, ModelSettings> change in new Func<ModelSettings, ModelSettings>[]
        {
            model => model with { Growth = 9 }, model => model with { Blocks = 3 }, model => model with { Activation = Activation.LeakyLSwish },
        })
        {
            Configuration other = TinyRun.Configuration with { Model = change(TinyRun.Configuration.Model) };
            OneLine(Assert.Throws<CheckpointFormatException>(() => run.TryRestore(TinyRun.Create(other))));
        }

        Assert.Equal(before, TinyRun.State(trainer));
    }

    [Theory]
    [InlineData(0, 0.05, "without training.muonRate")]
    [InlineData(0.05, 0, "with training.muonRate")]
    public void A_run_does_not_go_on_with_another_optimiser(double before, double after, string part)
    {
        Trainer With(double rate) => TinyRun.Create(training => training with { MuonRate = rate });
        RunDirectory run = NewRun();
        run.SaveTraining(With(before));
        Trainer other = With(after);
        double[] state = TinyRun.State(other);
        CheckpointFormatException failure = Assert.Throws<CheckpointFormatException>(() => run.TryRestore(other));
        OneLine(failure);
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        Assert.Equal(state, TinyRun.State(other));
    }

    [Fact]
    public void Metrics_after_the_restored_step_are_dropped_and_torn_lines_ignored()
    {
        (RunDirectory run, _, Trainer trainer) = Saved();
        foreach (long step in new long[] { 1, 2, 3 })
        {
            run.Metrics.Append(new MetricsLine { Step = step, Loss = step == 1 ? double.PositiveInfinity : 1.5 });
        }

        File.AppendAllText(run.In("metrics.jsonl"), "{\"step\":4,\"lo");
        Assert.Equal([1L, 2, 3], run.Metrics.Read().Select(line => line.Step));
        Assert.Equal(double.PositiveInfinity, run.Metrics.Read()[0].Loss);
        run.TryRestore(trainer);
        Assert.Equal([1L, 2], run.Metrics.Read().Select(line => line.Step));
    }

    private RunDirectory NewRun() => RunDirectory.Create(Path.Combine(_folder, "run"), TinyRun.Configuration);

    private (RunDirectory Run, byte[] Good, Trainer Trainer) Saved()
    {
        RunDirectory run = NewRun();
        Trainer trainer = TinyRun.Create(TinyRun.Configuration);
        TinyRun.Run(trainer, 2);
        run.SaveTraining(trainer);
        return (run, File.ReadAllBytes(run.In("training.safetensors")), trainer);
    }

    private static void Damage(RunDirectory run, Trainer trainer, byte[] contents)
    {
        File.WriteAllBytes(run.In("training.safetensors"), contents);
        OneLine(Assert.Throws<CheckpointFormatException>(() => run.TryRestore(trainer)));
    }

    private static void OneLine(Exception failure) => Assert.DoesNotContain('\n', failure.Message);
}
