using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Cpu.Tests;

/// <summary>Training on points, where each shard has a gradient, and on pictures, where shards take turns at one.</summary>
public class TrainingTests
{
    private const int Pictures = 32;

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 0.05)]
    [InlineData(true, 0.05)]
    public void The_number_of_threads_changes_no_bit_of_training(bool pictures, double muonRate)
    {
        double[] expected = Trained(1, pictures, muonRate);
        Assert.Equal(expected, Trained(2, pictures, muonRate));
        Assert.Equal(expected, Trained(5, pictures, muonRate));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 0.05)]
    public void A_step_allocates_nothing_but_what_finding_a_picture_takes(bool pictures, double muonRate)
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        Trainer trainer = Create(backend, pictures, muonRate);
        for (int warm = 0; warm < 10; warm++)
        {
            trainer.Step();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 5; step++)
        {
            trainer.Step();
        }

        const int BytesOfFinding = 32;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, pictures ? 5 * Pictures * BytesOfFinding : 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void The_first_row_at_fault_is_named_whatever_the_number_of_threads(int threads)
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, threads);
        Configuration configuration = Configure(pictures: true);
        var data = new Holes((4 * Flow.PicturesPerShard) + Flow.PicturesPerShard - 1);
        configuration = configuration with { Model = configuration.Model with { ActNorm = false } };
        var trainer = new Trainer(configuration, backend, data);
        string message = Assert.Throws<NonFiniteException>(() => trainer.Step()).Message;
        Assert.Contains($"(row {(5 * Flow.PicturesPerShard) - 1}, counted from 0)", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Neither_threads_nor_evaluating_again_change_a_bit_of_training_on_pictures()
    {
        double[] expected = Trained(1, backend => SmallPictures(backend, recompute: false));
        Assert.All(expected, value => Assert.True(double.IsFinite(value)));
        Assert.Equal(expected, Trained(3, backend => SmallPictures(backend, recompute: false)));
        Assert.Equal(expected, Trained(2, backend => SmallPictures(backend, recompute: true)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_on_pictures_and_classes_allocates_nothing(bool recompute)
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        Trainer trainer = SmallPictures(backend, recompute);
        for (int warm = 0; warm < 10; warm++)
        {
            trainer.Step();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        trainer.Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static double[] Trained(int threads, bool pictures, double muonRate) => Trained(threads, backend => Create(backend, pictures, muonRate));

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

    private static Trainer Create(IBackend backend, bool pictures, double muonRate)
    {
        Configuration configuration = Configure(pictures);
        return new Trainer(
            configuration with { Training = configuration.Training with { MuonRate = muonRate } },
            backend, pictures ? new PictureSource(MnistSample.Load(), Pictures) : new Moons());
    }

    // Pictures of 12 x 12 x 2, two scales and a head on each.
    private static Trainer SmallPictures(IBackend backend, bool recompute)
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

    private static Configuration Configure(bool pictures)
    {
        Configuration preset = Presets.Load("quick", pictures ? PresetFamily.Mnist : PresetFamily.Points);
        return preset with
        {
            Model = preset.Model with { Blocks = 3 },
            Training = preset.Training with { Batch = pictures ? Pictures : 400 },
        };
    }

    /// <summary>Pictures of which those from one row on are not finite.</summary>
    private sealed record Holes(long Row) : IPointSource
    {
        public int Width => 28 * 28;

        public double? Entropy => null;

        public int? TrainingRows => null;

        public int? TestRows => null;

        public int? RowsPerEpoch => null;

        public void Sample(RandomKey key, long firstRow, Span<double> points)
        {
            for (int i = 0; i < points.Length; i++)
            {
                points[i] = firstRow + (i / Width) >= Row ? double.NaN : 0.5;
            }
        }
    }
}
