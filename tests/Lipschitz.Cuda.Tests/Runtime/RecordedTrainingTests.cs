using Lipschitz.Backends;
using Lipschitz.Training;

namespace Lipschitz.Cuda.Tests.Runtime;

/// <summary>The parts of a training step that are the same each time become graphs.</summary>
public sealed class RecordedTrainingTests : DeviceTest
{
    [Fact]
    public void The_repeated_parts_of_a_step_are_launched_as_graphs_from_the_second_step_on()
    {
        const int Steps = 4;
        using CudaBackend backend = CudaPlugin.OpenBackend(new BackendOptions(0, false));
        Trainer trainer = TinyModels.Create("points quick", backend);
        for (int i = 0; i < Steps; i++)
        {
            trainer.Step();
        }

        Assert.Equal(2 * (Steps - 1), Control.Calls("cuGraphLaunch")); // the gradient's way to the parameters, and the norms
    }
}
