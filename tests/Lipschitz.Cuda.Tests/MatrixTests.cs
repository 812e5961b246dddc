using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda.Tests;

/// <summary>
/// Products, convolutions and power iterations of sizes at which the work is cut up among blocks; the conformance tests are smaller than that.
/// Without cuBLAS and cuDNN.
/// </summary>
public class MatrixTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(15, 3)]
    [InlineData(16, 1)]
    [InlineData(17, 2)]
    [InlineData(1000, 7)]
    [InlineData(1000, 1000)]
    [InlineData(int.MaxValue, 1)]
    [InlineData(int.MaxValue, 200)]
    public void Parts_of_an_inner_dimension_cover_it_and_are_whole_tiles(int inner, int wanted)
    {
        InnerSplit split = InnerSplit.Of(inner, wanted);
        Assert.InRange(split.Count, 1, wanted + 1);
        Assert.Equal(0, split.Depth % 16);
        Assert.True((long)split.Count * split.Depth >= inner);
        Assert.True(split.Count == 1 || (split.Count - 1L) * split.Depth < inner);
    }

    [Theory]
    [InlineData(300, 40, 300)] // large tiles
    [InlineData(70, 1000, 50)] // parts of the inner dimension
    [InlineData(5, 900, 140)] // wide
    [InlineData(140, 900, 5)] // tall
    [InlineData(300, 0, 300)]
    public void A_product_that_is_cut_up_equals_the_reference(int m, int k, int n)
    {
        using var pair = new Pair();
        double[] a = pair.Normal(m * k), b = pair.Normal(k * n), c = pair.Normal(m * n);
        foreach ((bool transposeA, bool transposeB, double beta) in
            ((bool, bool, double)[])[(false, false, 0), (true, false, 1), (false, true, 0.5), (true, true, 0)])
        {
            pair.Compare(1e-5 * (1 + Math.Sqrt(k)), (on, t) =>
            {
                Tensor left = transposeA ? t(a, k, m) : t(a, m, k), right = transposeB ? t(b, n, k) : t(b, k, n), result = t(c, m, n);
                on.Multiply(left, transposeA, right, transposeB, beta, result);
                return [result];
            });
        }
    }

    [Theory]
    [InlineData(300, 300)]
    [InlineData(1500, 50)]
    [InlineData(50, 1500)]
    public void A_power_iteration_on_several_blocks_equals_the_reference(int m, int n)
    {
        using var pair = new Pair();
        double[] w = WithSingularValues(pair, m, n, 3, 1.5, 0.7), u = pair.Normal(m), v = pair.Normal(n);
        foreach ((int iterations, double tolerance) in ((int, double)[])[(0, 0), (1, 0), (3, 0), (200, 1e-3)])
        {
            pair.Compare(2e-4, (on, t) =>
            {
                Tensor left = t(u, 1, m), right = t(v, 1, n), sigma = t([0], 1, 1);
                on.PowerIterate(t(w, m, n), iterations, tolerance, left, right, sigma);
                return [left, right, sigma];
            });
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20_000)]
    public void Pixels_gathered_in_several_parts_give_the_same(long bytes)
    {
        using var pair = new Pair();
        pair.Subject.GatheredBytes = bytes;
        var shape = new ConvolutionShape(6, 5, 3);
        const int Inputs = 7, Outputs = 9;
        int rows = 4 * shape.Pixels;
        double[] x = pair.Normal(rows * Inputs), y = pair.Normal(rows * Outputs), w = pair.Normal(Outputs * shape.Taps * Inputs);
        pair.Compare(1e-4, (on, t) =>
        {
            PackedConvolution packed = on.CreatePackedConvolution(shape, Inputs, Outputs);
            on.PackConvolution(t(w, Outputs * shape.Taps, Inputs), false, packed);
            Tensor pixels = t(x, rows, Inputs), result = t(y, rows, Outputs), gradient = t(w, Outputs * shape.Taps, Inputs);
            on.Convolve(pixels, packed, 1, result);
            on.ConvolutionWeightGradient(shape, pixels, result, gradient);
            return [result, gradient];
        });
    }

    [Fact]
    public void The_adjoint_of_a_scaled_weight_adds_up_many_rows_in_parts()
    {
        using var pair = new Pair();
        const int M = 1100, N = 40;
        double[] w = pair.Normal(M * N), along = pair.Normal(M * N), scale = pair.Normal(N), gradient = pair.Normal(M * N);
        pair.Compare(1e-3, (on, t) =>
        {
            Tensor result = t(gradient, M, N), columns = t(scale, 1, N);
            on.NormaliseWeightBackward(t(w, M, N), t(along, M, N), t([20], 1, 1), 0.9, t(scale, 1, N), result, columns);
            return [result, columns];
        });
    }

    /// <summary>A matrix [m, n] of three given singular values, each pair of directions orthogonal.</summary>
    private static double[] WithSingularValues(Pair pair, int m, int n, params ReadOnlySpan<double> values)
    {
        double[] w = new double[m * n];
        for (int k = 0; k < values.Length; k++)
        {
            // Numbers at every third place are orthogonal to those at others.
            double[] left = Every(pair.Normal(m), values.Length, k), right = Every(pair.Normal(n), values.Length, k);
            for (int i = 0; i < m * n; i++)
            {
                w[i] += values[k] * left[i / n] * right[i % n];
            }
        }

        return w;
    }

    private static double[] Every(double[] x, int period, int phase)
    {
        for (int i = 0; i < x.Length; i++)
        {
            x[i] = i % period == phase ? x[i] : 0;
        }

        double length = Math.Sqrt(x.Sum(a => a * a));
        return [.. x.Select(a => a / length)];
    }

    /// <summary>The kernels of the device alone, and the reference in double.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly Random _random = new(1);
        private readonly IBackend _reference = ReferenceBackend.Create(Precision.Float64);

        public Pair()
        {
            Doubles.Require();
            CudaContext context = CudaContext.Open(0);
            Subject = new CudaBackend(context, new OwnProducts(context), null);
        }

        public CudaBackend Subject { get; }

        public void Dispose() => Subject.Dispose();

        /// <summary>Numbers of float32.</summary>
        public double[] Normal(int count)
        {
            double[] x = new double[count];
            for (int i = 0; i < count; i++)
            {
                x[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));
            }

            return x;
        }

        /// <summary>Runs the same on both; the tensors that it returns must agree. t puts numbers into a new tensor [rows, columns].</summary>
        public void Compare(double tolerance, Func<IBackend, Func<double[], int, int, Tensor>, Tensor[]> run)
        {
            double[][] actual = Results(Subject, run), expected = Results(_reference, run);
            for (int k = 0; k < expected.Length; k++)
            {
                for (int i = 0; i < expected[k].Length; i++)
                {
                    Assert.True(
                        Math.Abs(actual[k][i] - expected[k][i]) <= tolerance * (1 + Math.Abs(expected[k][i])),
                        $"result {k}, number {i}: {actual[k][i]}, expected {expected[k][i]}");
                }
            }
        }

        private static double[][] Results(IBackend on, Func<IBackend, Func<double[], int, int, Tensor>, Tensor[]> run)
        {
            Tensor[] results = run(on, (numbers, rows, columns) =>
            {
                Tensor tensor = on.Allocate(rows, columns);
                on.Upload(numbers, tensor);
                return tensor;
            });
            return [.. results.Select(result =>
            {
                double[] numbers = new double[result.Count];
                on.Download(result, numbers);
                return numbers;
            })];
        }
    }
}
