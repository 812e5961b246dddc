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

    private static double[] Trained(int threads, int lanes)
    {
        using IBackend backend = CpuBackend.Create(Precision.Float32, threads);
        Trainer trainer = Create(backend, lanes);
        for (int step = 0; step < 3; step++)
        {
            trainer.Step();
        }

        Tensor values = trainer.Flow.Trained.Values;
        var result = new double[values.Count];
        backend.Download(values, result);
        return result;
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
