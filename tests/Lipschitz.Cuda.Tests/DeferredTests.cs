using Lipschitz.Backends;
using Lipschitz.Cpu.Tests;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Cuda.Tests;

/// <summary>A device that does nothing until somebody waits for it: what is queued must not depend on when it runs.</summary>
public class DeferredTests : SteeringTests
{
    [Theory]
    [InlineData("points idensenet-lc")]
    [InlineData("points idensenet-lc, Muon")]
    [InlineData("pictures quick, hybrid")]
    public void Training_gives_the_same_bits_however_late_the_device_is(string model)
    {
        double[] expected = Trained(model);
        Control.Set("deferred", 1);
        Assert.Equal(expected, Trained(model));
    }

    private static double[] Trained(string model)
    {
        using IBackend device = ConformingBackends.Make("cuda");
        Trainer trainer = TinyModels.Create(model, device);
        for (int step = 0; step < 4; step++)
        {
            trainer.Step();
        }

        Tensor values = trainer.Flow.Trained.Values;
        var numbers = new double[values.Count];
        device.Download(values, numbers);
        return numbers;
    }
}
