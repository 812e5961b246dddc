using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Flows;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Cuda.Tests;

/// <summary>Work that becomes a graph, also on a real device, which alone knows what can be one.</summary>
public sealed class RepeatedWorkTests
{
    [Fact]
    public void Every_kind_of_work_on_weights_can_be_a_graph_and_gives_the_same_bits()
    {
        Doubles.Require();
        using CudaBackend cuda = CudaPlugin.OpenBackend(new BackendOptions(0, false));
        IBackend backend = cuda;
        var shape = new ConvolutionShape(6, 6, 3);
        Tensor large = Draw(backend, 300, 260), u = Draw(backend, 1, 300), v = Draw(backend, 1, 260), sigma = backend.Allocate(1, 1);
        Tensor filter = Draw(backend, 4 * 9, 3), x = Draw(backend, 36, 3), y = Draw(backend, 36, 4), product = backend.Allocate(300, 300);
        PackedMatrix matrix = backend.CreatePacked(260, 300);
        PackedConvolution convolution = backend.CreatePackedConvolution(shape, 3, 4);
        Tensor wide = Draw(backend, 30, 70), tall = Draw(backend, 70, 30), ones = Draw(backend, 1, 70), gram = backend.Allocate(30, 30);
        Tensor wide2 = backend.Allocate(30, 70), gram2 = backend.Allocate(30, 30);
        Tensor[] changed = [u, v, sigma, filter, x, y, product, wide, wide2, gram, gram2];
        using CudaRecording recording = cuda.Record(() =>
        {
            backend.PowerIterate(large, 3, 1e-3, u, v, sigma); // cooperative
            backend.Pack(large, true, matrix);
            backend.Multiply(large, matrix, 0, product);
            backend.PowerIterateConvolution(shape, filter, 3, 1e-3, y.Reshape(1, y.Count), x.Reshape(1, x.Count), sigma);
            backend.PackConvolution(filter, false, convolution);
            backend.Convolve(x, convolution, 0, y);
            backend.ConvolutionWeightGradient(shape, x, y, filter);
            backend.Norm(wide.Reshape(1, wide.Count), sigma);
            backend.NormaliseWeight(wide, sigma, 1e-12, ones, wide2);
            backend.Axpby(1e12, wide2, 0, wide);
            backend.Multiply(wide, false, wide, true, 0, gram);
            backend.Multiply(tall, true, tall, false, 1, gram);
            backend.Multiply(gram, false, gram, false, 0, gram2);
        });
        double[][] first = Values(recording.Run);
        Assert.False(recording.IsGraph); // the first time shows what there is to record
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(first, Values(recording.Run));
            Assert.Null(recording.Refusal);
            Assert.True(recording.IsGraph);
        }

        // From the same numbers each time.
        double[][] Values(Action work)
        {
            foreach (Tensor tensor in changed)
            {
                Refill(backend, tensor);
            }

            work();
            return [.. changed.Select(tensor => Read(backend, tensor))];
        }
    }

    [Theory]
    [InlineData("points idensenet-lc")]
    [InlineData("pictures quick, hybrid")]
    public void What_is_read_of_a_flow_in_training_is_of_its_present_parameters(string model)
    {
        Doubles.Require();
        using CudaBackend backend = CudaPlugin.OpenBackend(new BackendOptions(0, false));
        Trainer trainer = TinyModels.Create(model, backend);
        double[] before = [];
        for (int step = 0; step < 5; step++)
        {
            trainer.Step();
            double[] present = Derived(trainer.Flow);
            Assert.NotEqual(before, present);
            trainer.Flow.Prepare(); // makes all of it anew
            Assert.Equal(Derived(trainer.Flow), present);
            before = present;
        }

        double[] Derived(Flow flow) =>
        [
            .. flow.Blocks.Select(block => block.BranchBound),
            .. flow.Blocks.SelectMany(block => block.Branch.EffectiveWeights).SelectMany(weight => Read(backend, weight.Value)),
        ];
    }

    private static Tensor Draw(IBackend backend, int rows, int columns)
    {
        Tensor tensor = backend.Allocate(rows, columns);
        Refill(backend, tensor);
        return tensor;
    }

    private static void Refill(IBackend backend, Tensor tensor)
    {
        var random = new Random(tensor.Count);
        backend.Upload([.. Enumerable.Range(0, tensor.Count).Select(_ => random.NextDouble() - 0.5)], tensor);
    }

    private static double[] Read(IBackend backend, Tensor tensor)
    {
        double[] numbers = new double[tensor.Count];
        backend.Download(tensor, numbers);
        return numbers;
    }
}
