using Lipschitz.Backends;
using Lipschitz.Cpu.Diagnostics;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <summary>What only this backend promises: no allocation, the same bits for any split and any address, what it is called.</summary>
public class CpuBackendTests
{
    public static TheoryData<Precision, SimdWidth> Variants
    {
        get
        {
            TheoryData<Precision, SimdWidth> data = [];
            foreach (Precision precision in Enum.GetValues<Precision>())
            {
                foreach (SimdWidth width in (SimdWidth[])[SimdWidth.Bits128, SimdWidth.Bits256, SimdWidth.Bits512])
                {
                    data.Add(precision, width);
                }
            }

            return data;
        }
    }

    [Fact]
    public void Names_tell_width_and_precision()
    {
        using IBackend a = CpuBackend.Create(Precision.Float32, 1, SimdWidth.Bits256);
        using IBackend b = CpuBackend.Create(Precision.Float64, 1, SimdWidth.Bits512);
        using IBackend c = CpuBackend.Create(Precision.Float32, 1, SimdWidth.Bits128);
        using IBackend best = CpuBackend.Create();
        Assert.Equal(
            ("cpu-avx2-float32", "cpu-avx512-float64", "cpu-vector128-float32"), (a.Name, b.Name, c.Name));
        Assert.Equal((1, Environment.ProcessorCount), (a.Threads, best.Threads));
        Assert.NotEqual(SimdWidth.Best, CpuBackend.BestWidth);
        Assert.Throws<ArgumentOutOfRangeException>(() => CpuBackend.Create(threads: -1));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_row_of_a_product_has_the_same_bits_in_whatever_batch_and_at_whatever_address(Precision precision, SimdWidth width)
    {
        using IBackend b = CpuBackend.Create(precision, 1, width);
        foreach ((int k, int n) in ((int, int)[])[(90, 92), (401, 37), (362, 2), (2, 55), (5, 1), (400, 4)])
        {
            const int rows = 31;
            double[] values = Numbers(rows * k, 1);
            Tensor w = Upload(b, k, n, Numbers(k * n, 2));
            PackedMatrix packed = b.CreatePacked(k, n);
            b.Pack(w, false, packed);
            double[] expected = Product(0, rows, 0);
            foreach ((int first, int count, int offset) in ((int, int, int)[])[(0, 1, 1), (3, 2, 5), (7, 5, 3), (1, 29, 7), (30, 1, 2), (4, 13, 9)])
            {
                Assert.Equal(expected[(first * n)..((first + count) * n)], Product(first, count, offset));
            }

            double[] Product(int first, int count, int offset)
            {
                int stride = k + offset;
                var a = new Tensor(b.AllocateBuffer(offset + (count * stride)), offset, count, k, stride);
                b.Upload(values.AsSpan(first * k, count * k), a);
                var c = new Tensor(b.AllocateBuffer(offset + (count * (n + 3))), offset, count, n, n + 3);
                b.Multiply(a, packed, 0, c);
                double[] result = Read(b, c);
                b.Multiply(a, packed, 1, c);
                b.Multiply(a, packed, -1.5, c);
                return [.. result.Zip(Read(b, c), (x, y) => x + (3 * y))];
            }
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Repeated_calls_allocate_nothing(Precision precision, SimdWidth width)
    {
        using IBackend b = CpuBackend.Create(precision, 1, width);
        const int rows = 24, k = 33, n = 18;
        Tensor x = Upload(b, 2 * rows, k, Numbers(2 * rows * k, 3)), w = Upload(b, k, n, Numbers(k * n, 4));
        Tensor bias = b.Allocate(1, n), pre = b.Allocate(2 * rows, n), y = b.Allocate(2 * rows, 2 * n), back = b.Allocate(2 * rows, n);
        Tensor slopes = b.Allocate(rows, 2 * n), parameters = b.Allocate(1, 1), parameterGradient = b.Allocate(1, 1);
        Tensor gradient = b.Allocate(k, n), u = Upload(b, 1, k, Numbers(k, 5)), v = Upload(b, 1, n, Numbers(n, 6)), one = b.Allocate(1, 1);
        Tensor columns = b.Allocate(1, n), dots = b.Allocate(rows, 1);
        Tensor points = Upload(b, rows, 2, Numbers(rows * 2, 7)), basis = b.Allocate(2 * rows, 2), jacobians = b.Allocate(rows, 4);
        Tensor raw = b.Allocate(2, 2), scales = b.Allocate(3, n);
        PackedMatrix packed = b.CreatePacked(k, n);
        int[] slices = [6, 6, 6];
        double[] series = [0.5, 0.25];
        void Step()
        {
            b.Pack(w, false, packed);
            b.MultiplyActivate(x, packed, bias, Activation.CLipSwish, parameters, rows, pre, y);
            b.ActivationSlopes(Activation.CLipSwish, parameters, pre.RowRange(0, rows), slopes);
            b.SlopeVjp(Activation.CLipSwish, slopes, y, back);
            b.SlopeJvp(Activation.CLipSwish, slopes, back, y);
            b.ActivationBackward(Activation.CLipSwish, parameters, pre, rows, y, back, parameterGradient);
            b.Activate(Activation.LeakyLSwish, new Tensor(bias.Buffer, 0, 1, 2, 2), pre, rows, back);
            b.Multiply(x, true, back, false, 1, gradient);
            b.Multiply(x, true, back.ColumnRange(0, 2), false, 1, gradient.ColumnRange(0, 2));
            b.Multiply(back, false, w, true, 0.5, x);
            b.ColumnSums(back, 1, columns);
            b.PowerIterate(w, 2, 0, u, v, one);
            b.NormaliseWeight(w, one, 0.9, columns, gradient);
            b.NormaliseWeightBackward(w, u, v, one, 0.9, columns, gradient, bias);
            b.RowDots(1, back.RowRange(0, rows), pre.RowRange(0, rows), 1, dots);
            b.ScaleRows(dots, back, back);
            b.CompleteBasis(points, basis);
            b.SolveJacobians(basis, basis, jacobians);
            b.ExactLogDet(jacobians, dots, basis);
            b.SeriesLogDet(jacobians, points, series, series, dots, points);
            b.ConcatenationScales(raw, 0.98, slices, scales);
            b.ConcatenationScalesBackward(raw, 0.98, slices, scales, raw);
            b.FillNormal(new(1, Randomness.RandomPurpose.Test), 0, points);
            b.ActNormForward(points, basis.RowRange(0, 1), basis.RowRange(1, 1), 1, points, dots);
            b.Fill(gradient, 0.01);
            b.Norm(gradient, one);
            Assert.True(b.AllFinite(one));
        }

        for (int warm = 0; warm < 5; warm++)
        {
            Step();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 3; step++)
        {
            Step();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void NaN_and_infinity_reach_the_result(Precision precision, SimdWidth width)
    {
        using IBackend b = CpuBackend.Create(precision, 1, width);
        foreach (double bad in (double[])[double.NaN, double.PositiveInfinity, double.NegativeInfinity])
        {
            foreach ((int m, int k, int n) in ((int, int, int)[])[(7, 19, 21), (5, 30, 2), (9, 2, 17), (84, 90, 90)])
            {
                double[] values = Numbers(m * k, 8);
                values[(m / 2 * k) + (k - 1)] = bad;
                Tensor a = Upload(b, m, k, values), c = b.Allocate(m, n);
                PackedMatrix packed = b.CreatePacked(k, n);
                b.Pack(Upload(b, k, n, Numbers(k * n, 9)), false, packed);
                b.Multiply(a, packed, 0, c);
                for (int i = 0; i < m; i++)
                {
                    Assert.Equal(i != m / 2, b.AllFinite(c.RowRange(i, 1)));
                }
            }

            foreach (Activation f in Enum.GetValues<Activation>())
            {
                foreach (int place in (int[])[0, 5, 37])
                {
                    double[] values = Numbers(38, 10);
                    values[place] = bad;
                    Tensor y = b.Allocate(1, f.OutputColumns(38));
                    b.Activate(f, Upload(b, 1, f.ParameterCount(), f.InitialParameters()), Upload(b, 1, 38, values), 1, y);
                    bool levelsOff = f switch
                    {
                        Activation.Tanh => !double.IsNaN(bad),
                        Activation.ReLU or Activation.Elu or Activation.Softplus => double.IsNegativeInfinity(bad),
                        _ => false,
                    };
                    Assert.True(levelsOff == b.AllFinite(y), $"{f} of {bad} in place {place}");
                }
            }
        }
    }

    [Fact]
    public void The_processor_is_named_and_its_peak_is_above_zero()
    {
        CpuInfo info = CpuInfo.Read();
        Assert.NotEmpty(info.Processor);
        Assert.Equal(CpuBackend.BestWidth, info.Width);
        Assert.True(FmaPeak.Measure(1, 1) > 0.01);
    }

    private static Tensor Upload(IBackend b, int rows, int columns, double[] values)
    {
        Tensor x = b.Allocate(rows, columns);
        b.Upload(values, x);
        return x;
    }

    private static double[] Read(IBackend b, Tensor x)
    {
        double[] values = new double[x.Count];
        b.Download(x, values);
        return values;
    }

    private static double[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextDouble() * 2) - 1)];
    }
}
