using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Layers;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Cpu.Tests;

public class TrainingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void The_number_of_threads_changes_no_bit_of_training(int lanes)
    {
        double[] expected = Trained(1, lanes);
        Assert.Equal(expected, Trained(2, lanes));
        Assert.Equal(expected, Trained(5, lanes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_step_allocates_nothing(int lanes)
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        Trainer trainer = Create(backend, lanes);
        for (int warm = 0; warm < 10; warm++)
        {
            trainer.Step();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 5; step++)
        {
            trainer.Step();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Neither_threads_nor_evaluating_again_change_a_bit_of_training_on_pictures()
    {
        double[] expected = Trained(1, backend => Pictures(backend, recompute: false));
        Assert.All(expected, value => Assert.True(double.IsFinite(value)));
        Assert.Equal(expected, Trained(3, backend => Pictures(backend, recompute: false)));
        Assert.Equal(expected, Trained(2, backend => Pictures(backend, recompute: true)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_on_pictures_and_classes_allocates_nothing(bool recompute)
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        Trainer trainer = Pictures(backend, recompute);
        for (int warm = 0; warm < 10; warm++)
        {
            trainer.Step();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        trainer.Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static double[] Trained(int threads, int lanes) => Trained(threads, backend => Create(backend, lanes));

    private static double[] Trained(int threads, Func<IBackend, Trainer> create)
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, threads);
        Trainer trainer = create(backend);
        for (int step = 0; step < 3; step++)
        {
            trainer.Step();
        }

        Tensor values = trainer.Flow.Trained.Values;
        var result = new double[values.Count];
        backend.Download(values, result);
        return result;
    }

    // Pictures of 12 x 12 x 2, so two to a shard, three shards, two scales and a head on each.
    private static Trainer Pictures(IBackend backend, bool recompute)
    {
        var shape = new ImageShape(12, 12, 2);
        var random = new Random(1);
        PictureSet Set(int count)
        {
            var pixels = new byte[count * shape.Count];
            random.NextBytes(pixels);
            return new PictureSet(shape, pixels, [.. Enumerable.Range(0, count).Select(i => (byte)(i % 3))], 3);
        }

        Configuration preset = Presets.Load("quick", PresetFamily.Cifar10);
        Configuration configuration = preset with
        {
            Task = new TaskSettings { Kind = TaskKind.Hybrid, Weight = 0.1, Classes = 3, HeadChannels = 8 },
            Model = preset.Model with
            {
                Depth = 1,
                Growth = 6,
                Image = preset.Model.Image! with { Shape = shape, FirstSqueezes = 0, Blocks = [1, 1], FullyConnected = 1 },
            },
            Training = preset.Training with { Batch = 6, Recompute = recompute },
        };
        return new Trainer(configuration, backend, new PictureSource(new PictureSplit(Set(20), Set(5)), 6, flip: true));
    }

    private static Trainer Create(IBackend backend, int lanes)
    {
        Configuration preset = Presets.Load("quick");
        return new Trainer(
            preset with
            {
                Model = preset.Model with { Blocks = 3 },
                Training = preset.Training with { Batch = 400, Lanes = lanes },
            },
            backend,
            new Moons());
    }
}
