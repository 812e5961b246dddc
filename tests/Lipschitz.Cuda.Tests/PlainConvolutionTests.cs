using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests;

/// <summary>cuDNN takes the pictures of the models as they lie in memory, on a real device too; that the results are right is shown elsewhere.</summary>
public sealed class PlainConvolutionTests
{
    [Theory]
    [InlineData(3, 16, false)]
    [InlineData(16, 3, false)]
    [InlineData(64, 64, false)]
    [InlineData(3, 16, true)]
    [InlineData(16, 3, true)]
    [InlineData(64, 64, true)]
    public void Gapless_pictures_are_taken_both_ways(int inputs, int outputs, bool allowTf32)
    {
        Doubles.Require();
        LibraryProbe probe = LibraryProbe.Cudnn();
        Assert.SkipUnless(probe.IsUsable, probe.Detail);
        using CudaContext context = CudaContext.Open(0);
        using var convolutions = new CudnnConvolutions(context, probe.Name, allowTf32);
        var shape = new ConvolutionShape(8, 8, 3);
        const int Pictures = 2;
        CudaBuffer x = new(context, Pictures * shape.Pixels * inputs), y = new(context, Pictures * shape.Pixels * outputs);
        CudaBuffer w = new(context, outputs * shape.Taps * inputs);
        DeviceView xs = new(x.Address, Pictures * shape.Pixels, inputs, inputs), ys = new(y.Address, Pictures * shape.Pixels, outputs, outputs);
        foreach (float beta in new[] { 0f, 1f })
        {
            Assert.True(convolutions.TryForward(shape, xs, w.Address, beta, ys));
            Assert.True(convolutions.TryBackwardData(shape, ys, w.Address, beta, xs));
            Assert.True(convolutions.TryBackwardFilter(shape, xs, ys, beta, w.Address));
        }

        context.Synchronize();
        GC.KeepAlive((x, y, w));
    }
}
