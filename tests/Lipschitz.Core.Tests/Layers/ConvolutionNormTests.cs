using Lipschitz.Backends;
using Lipschitz.Core.Tests.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Layers;

/// <summary>Bounds of convolutions by their symbols against long power iterations of the operator.</summary>
public class ConvolutionNormTests
{
    [Theory]
    [InlineData(12, 12, 3, 5, 4, 1.05)]
    [InlineData(16, 9, 3, 3, 7, 1.08)]
    [InlineData(10, 10, 5, 2, 3, 1.2)]
    [InlineData(8, 8, 3, 1, 9, 1.1)]
    [InlineData(20, 20, 3, 6, 6, 1.03)]
    public void The_bound_holds_and_is_near(int height, int width, int kernel, int outputs, int inputs, double looseness)
    {
        IBackend backend = ReferenceBackend.Create(Precision.Float64);
        var shape = new ConvolutionShape(height, width, kernel);
        var random = new Random((height * 31) + width);
        double[] weight = Differences.Normal(random, outputs * shape.Taps * inputs);
        Tensor w = Differences.Tensor(outputs * shape.Taps, inputs, weight);
        Tensor u = backend.Allocate(1, shape.Pixels * outputs), v = Differences.Tensor(1, shape.Pixels * inputs, Differences.Normal(random, shape.Pixels * inputs));
        Tensor sigma = backend.Allocate(1, 1);
        backend.PowerIterateConvolution(shape, w, 300, 0, u, v, sigma);
        double norm = sigma.Read()[0], bound = ConvolutionNorm.Bound(weight, shape, outputs, inputs, 2);
        Assert.InRange(bound / norm, 1, looseness);
    }

    [Fact]
    public void A_kernel_that_sums_is_not_bound_by_its_gain_at_frequency_0()
    {
        double[] weight = new double[9 * 2 * 3];
        Array.Fill(weight, 1);
        var shape = new ConvolutionShape(7, 7, 3);
        IBackend backend = ReferenceBackend.Create(Precision.Float64);
        Tensor w = Differences.Tensor(18, 3, weight), u = backend.Allocate(1, 98), v = backend.Allocate(1, 147), sigma = backend.Allocate(1, 1);
        backend.Fill(v, 1);
        backend.PowerIterateConvolution(shape, w, 200, 0, u, v, sigma);
        double norm = sigma.Read()[0], atZero = 9 * Math.Sqrt(6);
        Assert.True(norm < 0.93 * atZero);
        Assert.InRange(ConvolutionNorm.Bound(weight, shape, 2, 3, 2) / norm, 1, 1.02);
    }

    // Waves of every direction: each has its peak at another pair of frequencies, so a grid that leaves a pair out is found.
    [Theory]
    [InlineData(9, 9)]
    [InlineData(10, 9)]
    [InlineData(9, 10)]
    public void No_frequency_is_left_out(int height, int width)
    {
        const int Waves = 12, Kernel = 5;
        IBackend backend = ReferenceBackend.Create(Precision.Float64);
        var shape = new ConvolutionShape(height, width, Kernel);
        Tensor u = backend.Allocate(1, shape.Pixels), v = backend.Allocate(1, shape.Pixels), sigma = backend.Allocate(1, 1);
        for (int wave = 0; wave < Waves * Waves; wave++)
        {
            double y = 2 * Math.PI * (wave / Waves) / Waves, x = 2 * Math.PI * (wave % Waves) / Waves;
            double[] weight = [.. Enumerable.Range(0, shape.Taps).Select(
                tap => Math.Cos((y * ((tap / Kernel) - 2)) + (x * ((tap % Kernel) - 2))))];
            backend.Upload(Differences.Normal(new Random(wave), shape.Pixels), v);
            backend.PowerIterateConvolution(shape, Differences.Tensor(shape.Taps, 1, weight), 40, 0, u, v, sigma);
            Assert.InRange(ConvolutionNorm.Bound(weight, shape, 1, 1, 2) / sigma.Read()[0], 1, 1.5);
        }
    }

    [Fact]
    public void A_kernel_of_zeros_has_bound_0_and_one_of_NaN_has_none()
    {
        var shape = new ConvolutionShape(16, 16, 3);
        Assert.Equal(0, ConvolutionNorm.Bound(new double[9 * 4], shape, 2, 2, 2));
        Assert.Equal(double.NaN, ConvolutionNorm.Bound([double.NaN, .. new double[(9 * 4) - 1]], shape, 2, 2, 2));
    }

    [Fact]
    public void The_identity_has_norm_1_in_every_norm()
    {
        double[] weight = new double[9];
        weight[4] = 1;
        foreach (double p in new[] { 1, 1.5, 2, 4, double.PositiveInfinity })
        {
            Assert.InRange(ConvolutionNorm.Bound(weight, new ConvolutionShape(12, 12, 3), 1, 1, p), 1, 1.001);
        }
    }
}
