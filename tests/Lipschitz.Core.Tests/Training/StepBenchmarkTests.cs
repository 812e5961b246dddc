using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

public class StepBenchmarkTests
{
    [Fact]
    public void The_floor_counts_a_weight_once_a_point() =>
        Assert.Equal(
            2 * 10 * 2.0 * ((2 * 8) + (10 * 8) + (18 * 2)) * (1 + 4 + 4), StepBenchmark.Floor(TinyRun.Create(TinyRun.Configuration).Flow, 10, 4, 1));

    [Fact]
    public void The_floor_counts_the_weight_of_a_convolution_at_each_pixel()
    {
        var image = new ImageSettings { Shape = new ImageShape(4, 4, 1), Blocks = [1, 1], FullyConnected = 1, FullyConnectedWidth = 3, FullyConnectedDepth = 1, FullyConnectedGrowth = 2 };
        Configuration configuration = TinyRun.Configuration with
        {
            Model = TinyRun.Configuration.Model with { Depth = 1, Growth = 3, Image = image },
        };
        Flow flow = FlowFactory.Create(configuration, 16, ReferenceBackend.Create(Precision.Float32));
        double first = 16 * ((9 * 1 * 3) + (4 * 1)), second = 4 * ((9 * 4 * 3) + (7 * 4)), third = (16 * 3) + (3 * 2) + (5 * 16);
        Assert.Equal(2 * 5 * (first + second + third) * (1 + 4 + 4), StepBenchmark.Floor(flow, 5, 4, 1));
    }

    [Fact]
    public void As_many_steps_are_timed_as_asked_for_or_as_there_is_time()
    {
        IBackend backend = ReferenceBackend.Create(Precision.Float32);
        Configuration configuration = TinyRun.Configuration with { Training = TinyRun.Configuration.Training with { Batch = 2 } };
        Assert.Equal(4, StepBenchmark.Run(configuration, backend, new Moons(), 4).Steps);
        Assert.Equal(3, StepBenchmark.Run(configuration, backend, new Moons(), 1000, TimeSpan.Zero).Steps);
    }
}
