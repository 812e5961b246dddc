using Lipschitz.Backends;
using Lipschitz.Diagnostics;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <summary>What only this backend promises of convolutions: the same bits in any batch and on any thread, no allocation, how far they are rounded.</summary>
public class ConvolutionTests
{
    /// <summary>One of each method, and each with more than one block of tiles.</summary>
    private static readonly (int Size, int Kernel, int Inputs, int Outputs)[] Shapes =
        [(24, 3, 16, 18), (10, 3, 17, 20), (9, 3, 3, 20), (9, 3, 20, 3), (6, 1, 20, 3), (6, 1, 20, 30), (7, 5, 4, 5)];

    public static TheoryData<Precision, SimdWidth> Variants => CpuBackendTests.Variants;

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_picture_has_the_same_bits_in_whatever_batch_and_on_whatever_thread(Precision precision, SimdWidth width)
    {
        using IBackend b = CpuBackend.Create(precision, 3, width);
        foreach ((int size, int kernel, int inputs, int outputs) in Shapes)
        {
            var shape = new ConvolutionShape(size, size, kernel);
            const int Pictures = 5;
            Tensor x = Upload(b, Pictures * shape.Pixels, inputs, 1), w = Upload(b, outputs * shape.Taps, inputs, 2);
            PackedConvolution packed = b.CreatePackedConvolution(shape, inputs, outputs);
            b.PackConvolution(w, false, packed);
            Tensor y = b.Allocate(Pictures * shape.Pixels, outputs);
            b.Convolve(x, packed, 0, y);
            double[] expected = Read(b, y);
            for (int repeat = 0; repeat < 3; repeat++)
            {
                Tensor alone = b.Allocate(Pictures * shape.Pixels, outputs);
                b.Parallel(Pictures, i => b.Convolve(Picture(x, i), packed, 0, Picture(alone, i)));
                Assert.Equal(expected, Read(b, alone));
            }

            // Gradients depend on how pictures are grouped, but not on the thread.
            double[] Gradients(Action<int, Action<int>> loop)
            {
                Tensor[] gradients = [.. Enumerable.Range(0, Pictures).Select(_ => b.Allocate(outputs * shape.Taps, inputs))];
                loop(Pictures, i => b.ConvolutionWeightGradient(shape, Picture(x, i), Picture(y, i), gradients[i]));
                return [.. gradients.SelectMany(g => Read(b, g))];
            }

            double[] serial = Gradients((count, body) => Enumerable.Range(0, count).ToList().ForEach(body));
            Assert.Equal(serial, Gradients(b.Parallel));
            Assert.Equal(serial, Gradients((count, body) => Parallel.For(0, count, body)));
            Tensor Picture(Tensor all, int i) => all.RowRange(i * shape.Pixels, shape.Pixels);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Repeated_calls_allocate_nothing(Precision precision, SimdWidth width)
    {
        using IBackend b = CpuBackend.Create(precision, 1, width);
        var steps = new List<Action>();
        foreach ((int size, int kernel, int inputs, int outputs) in Shapes)
        {
            var shape = new ConvolutionShape(size, size, kernel);
            int rows = 2 * shape.Pixels;
            Tensor x = Upload(b, rows, inputs, 1), w = Upload(b, outputs * shape.Taps, inputs, 2), y = b.Allocate(rows, outputs);
            Tensor pre = b.Allocate(rows, outputs), bias = b.Allocate(1, outputs), none = b.Allocate(1, 0), gradient = b.Allocate(w.Rows, inputs);
            Tensor u = Upload(b, 1, shape.Pixels * outputs, 3), v = Upload(b, 1, shape.Pixels * inputs, 4), sigma = b.Allocate(1, 1);
            Tensor scale = b.Allocate(1, inputs), columns = b.Allocate(1, inputs), direction = b.Allocate(w.Rows, inputs);
            PackedConvolution forward = b.CreatePackedConvolution(shape, inputs, outputs);
            PackedConvolution adjoint = b.CreatePackedConvolution(shape, outputs, inputs);
            steps.Add(() =>
            {
                b.PackConvolution(w, false, forward);
                b.PackConvolution(w, true, adjoint);
                b.ConvolveActivate(x, forward, bias, Activation.ReLU, none, shape.Pixels, pre, y);
                b.Convolve(y, adjoint, 0.5, x);
                b.ConvolutionWeightGradient(shape, x, y, gradient);
                b.PowerIterateConvolution(shape, w, 2, 0, u, v, sigma);
                b.NormaliseWeightBackward(w, direction, sigma, 0.5, scale, gradient, columns);
            });
        }

        var image = new ImageShape(4, 4, 3);
        Tensor a = Upload(b, 3, 48, 5), c = b.Allocate(3, 48), one = b.Allocate(3, 1);
        steps.Add(() =>
        {
            b.Squeeze(a, image, c);
            b.Unsqueeze(c, image, a);
            b.LogitForward(a, 0.05, c, one);
            b.LogitBackward(c, 0.05, a, one, a);
            b.LogitInverse(c, 0.05, a);
            b.Fill(one, 1);
            b.SoftmaxCrossEntropy(a, one, c.ColumnRange(0, 1), c);
        });
        for (int warm = 0; warm < 5; warm++)
        {
            steps.ForEach(step => step());
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 3; i++)
        {
            foreach (Action step in steps)
            {
                step();
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>The errors that docs/architecture.md and the doc comments of the tiles state, in float32 at 127 channels.</summary>
    [Theory]
    [InlineData(12, 0.8)]
    [InlineData(28, 2.1)]
    public void The_rounding_of_Winograd_s_tiles_is_what_is_said_of_it(int size, double largestRatio)
    {
        using IBackend single = CpuBackend.Create(Precision.Float32, 1), exact = CpuBackend.Create(Precision.Float64, 1);
        const int Inputs = 127, Outputs = 16;
        var shape = new ConvolutionShape(size, size, 3);
        double[] Result(IBackend b)
        {
            Tensor x = Upload(b, shape.Pixels, Inputs, 6), w = Upload(b, Outputs * 9, Inputs, 7), y = b.Allocate(shape.Pixels, Outputs);
            PackedConvolution packed = b.CreatePackedConvolution(shape, Inputs, Outputs);
            b.PackConvolution(w, false, packed);
            b.Convolve(x, packed, 0, y);
            return Read(b, y);
        }

        // What it is held against: one chain of multiply-adds in float32 over all terms, which is what the product of gathered neighbours makes.
        float[] pixels = [.. Numbers(shape.Pixels * Inputs, 6).Select(v => (float)v)], weight = [.. Numbers(Outputs * 9 * Inputs, 7).Select(v => (float)v)];
        double[] chains = new double[shape.Pixels * Outputs];
        for (int i = 0; i < chains.Length; i++)
        {
            (int o, int column, int row) = (i % Outputs, i / Outputs % size, i / Outputs / size);
            float sum = 0;
            for (int tap = 0; tap < 9; tap++)
            {
                (int r, int c) = (row + (tap / 3) - 1, column + (tap % 3) - 1);
                for (int channel = 0; channel < Inputs && r >= 0 && r < size && c >= 0 && c < size; channel++)
                {
                    sum = MathF.FusedMultiplyAdd(
                        weight[(((o * 9) + tap) * Inputs) + channel], pixels[(((r * size) + c) * Inputs) + channel], sum);
                }
            }

            chains[i] = sum;
        }

        double[] expected = Result(exact);
        double ratio = Error(Result(single), expected) / Error(chains, expected);
        Assert.InRange(ratio, 0.2, largestRatio);

        static double Error(double[] x, double[] y) => Math.Sqrt(x.Zip(y, (p, q) => (p - q) * (p - q)).Average());
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Old_gradients_of_not_a_number_stay_and_labels_beyond_the_classes_are_refused(Precision precision, SimdWidth width)
    {
        using IBackend b = CpuBackend.Create(precision, 1, width);
        Tensor gradient = b.Allocate(2 * 9, 3);
        b.Fill(gradient, double.NaN);
        b.ConvolutionWeightGradient(new(2, 2, 3), b.Allocate(4, 3), b.Allocate(4, 2), gradient);
        Assert.All(Read(b, gradient), g => Assert.True(double.IsNaN(g)));

        Tensor logits = b.Allocate(1, 3), loss = b.Allocate(1, 1), label = b.Allocate(1, 1);
        foreach (double bad in (double[])[-1, 3, 1e30, double.PositiveInfinity])
        {
            b.Fill(label, bad);
            string message = Assert.Throws<ArgumentException>(() => b.SoftmaxCrossEntropy(logits, label, loss, logits)).Message;
            Assert.Contains("row 0", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_benchmark_times_each_pass_of_each_shape()
    {
        using IBackend backend = CpuBackend.Create(threads: 2);
        IReadOnlyList<ConvolutionTiming> timings = ConvolutionBenchmark.Run([(3, 2, 5, 4, 3)], backend, peak: 100, repetitions: 1);
        Assert.Equal(["forward", "adjoint", "gradient", "all"], timings.Select(t => t.Pass));
        Assert.All(timings, t =>
        {
            double operations = (t.Pass == "all" ? 3 : 1) * 2.0 * 3 * 16 * 2 * 5 * 9;
            Assert.Equal((3, 2, 5, 4, 3), (t.Batch, t.Inputs, t.Outputs, t.Size, t.Kernel));
            Assert.Equal(operations / t.Milliseconds / 1e6, t.Gflops, 1e-9 * t.Gflops);
            Assert.Equal(t.Gflops / 100, t.FractionOfPeak, 1e-12);
        });
    }

    private static Tensor Upload(IBackend b, int rows, int columns, int seed)
    {
        // The same numbers in both precisions.
        Tensor x = b.Allocate(rows, columns);
        b.Upload([.. Numbers(rows * columns, seed).Select(v => (double)(float)v)], x);
        return x;
    }

    private static double[] Read(IBackend b, Tensor x)
    {
        double[] values = new double[x.Count];
        b.Download(x, values);
        return values;
    }

    /// <summary>Normal numbers.</summary>
    private static double[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];
    }
}
