using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <summary>
/// Every kernel of <see cref="IBackend"/>, for every backend in <see cref="ConformingBackends"/>, against the reference in double over
/// many shapes and layouts of memory. This file: memory, threads, products and random numbers.
/// </summary>
public partial class KernelConformance
{
    private static readonly int[] ProductSizes =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 18, 23, 24, 25, 31, 32, 33, 47, 48, 49, 64, 65, 96, 97, 131];

    private static readonly int[] InnerSizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33];

    private static readonly (int M, int K, int N)[] DeepSizes =
    [
        (1, 400, 1), (6, 255, 16), (7, 256, 17), (12, 257, 32), (13, 400, 33), (64, 384, 48), (65, 385, 8), (200, 129, 12), (5, 399, 200),
        (97, 263, 191), (3, 400, 7), (128, 128, 128), (24, 321, 96),
    ];

    public static TheoryData<string> Backends => ConformingBackends.Names;

    public static TheoryData<string, Activation> BackendsAndActivations => ConformingBackends.NamesAndActivations;

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_new_buffer_is_zero_and_has_its_length(string backend)
    {
        using var bench = new Bench(backend, 1);
        foreach (int length in (int[])[0, 1, 2, 3, 63, 64, 65, 1000])
        {
            DeviceBuffer buffer = bench.Subject.AllocateBuffer(length);
            Assert.Equal((length, bench.Subject.Precision), (buffer.Length, buffer.Precision));
            Assert.All(Bench.Read(bench.Subject, new Tensor(buffer, 0, 1, length, length)), x => Assert.Equal(0, x));
        }

        Tensor tensor = bench.Subject.Allocate(3, 5);
        Assert.Equal((3, 5, true), (tensor.Rows, tensor.Columns, tensor.IsContiguous));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Numbers_come_back_as_they_were_sent_but_for_rounding(string backend)
    {
        using var bench = new Bench(backend, 2);
        ForEachShape(bench, (rows, columns) =>
        {
            Twin x = bench.Out(rows, columns);
            double[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => bench.Random.NextDouble() - 0.5)];
            bench.Run((b, t) => b.Upload(values, t(x)));
            Assert.Equal(values.Select(bench.Round), Bench.Read(bench.Subject, x.Subject));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Fill_and_Copy_write_every_element_of_the_view_and_no_other(string backend)
    {
        using var bench = new Bench(backend, 3);
        ForEachShape(bench, (rows, columns) =>
        {
            Twin x = bench.In(rows, columns);
            Twin y = bench.Out(rows, columns);
            Twin z = bench.Out(rows, columns);
            bench.Run((b, t) =>
            {
                b.Fill(t(y), 0.1);
                b.Copy(t(x), t(z));
            });
            bench.CheckExact(y, "filled");
            bench.Check(z, "copied", 0);
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Parallel_calls_every_index_once_and_gathers_failures(string backend)
    {
        using var bench = new Bench(backend, 4);
        Assert.True(bench.Subject.Threads >= 1);
        foreach (int count in (int[])[0, 1, 2, 3, 17, 1000])
        {
            int[] calls = new int[count];
            bench.Subject.Parallel(count, i => Interlocked.Increment(ref calls[i]));
            Assert.All(calls, c => Assert.Equal(1, c));
        }

        Assert.Throws<AggregateException>(
            () => bench.Subject.Parallel(10, i => _ = i == 7 ? throw new InvalidOperationException("on purpose") : i));
        int after = 0;
        bench.Subject.Parallel(10, _ => Interlocked.Increment(ref after)); // still alive
        Assert.Equal(10, after);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Kernels_on_disjoint_rows_give_the_same_bits_from_many_threads_as_from_one(string backend)
    {
        using var bench = new Bench(backend, 5);
        IBackend b = bench.Subject;
        Tensor x = b.Allocate(160, 33);
        b.Upload(bench.Normal(160 * 33), x);
        Tensor w = b.Allocate(33, 21);
        b.Upload(bench.Normal(33 * 21), w);
        PackedMatrix packed = b.CreatePacked(33, 21);
        b.Pack(w, false, packed);
        Tensor parameters = b.Allocate(1, 1);
        Tensor bias = b.Allocate(1, 21);
        double[] Result(Action<int, Action<int>> loop)
        {
            Tensor pre = b.Allocate(160, 21);
            Tensor y = b.Allocate(160, 21);
            Tensor dots = b.Allocate(160, 1);
            loop(16, i =>
            {
                Tensor rows = pre.RowRange(i * 10, 10);
                b.MultiplyActivate(
                    x.RowRange(i * 10, 10), packed, bias, Activation.LipSwish, parameters, 5, rows, y.RowRange(i * 10, 10));
                b.Multiply(x.RowRange(i * 10, 10), false, w, false, 1, rows);
                b.RowDots(1, rows, y.RowRange(i * 10, 10), 0, dots.RowRange(i * 10, 10));
            });
            return [.. Bench.Read(b, pre), .. Bench.Read(b, y), .. Bench.Read(b, dots)];
        }

        double[] serial = Result((count, body) =>
        {
            for (int i = 0; i < count; i++)
            {
                body(i);
            }
        });
        for (int repeat = 0; repeat < 5; repeat++)
        {
            Assert.Equal(serial, Result(b.Parallel));
            Assert.Equal(serial, Result((count, body) => Parallel.For(0, count, body)));
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Packed_products_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 6);
        ForEachProduct(bench, (m, k, n) =>
        {
            double beta = bench.Pick(0, 0, 1, -0.5);
            bool transpose = bench.Random.Next(2) == 1;
            bench.Begin($"packed [{m}, {k}] [{k}, {n}], transposed {transpose}, beta {beta}");
            Twin a = bench.In(m, k);
            Twin b = transpose ? bench.In(n, k) : bench.In(k, n);
            Twin c = beta == 0 ? bench.Out(m, n) : bench.InOut(m, n);
            bench.Run((backend, t) =>
            {
                PackedMatrix packed = backend.CreatePacked(k, n);
                Assert.Equal((k, n), (packed.Inner, packed.Columns));
                backend.Pack(t(b), transpose, packed);
                backend.Multiply(t(a), packed, beta, t(c));
            });
            CheckProduct(bench, c, Magnitudes(bench, a, false, b, transpose), k, beta);
            bench.End();
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Products_without_packing_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 7);
        int turn = 0;
        ForEachProduct(bench, (m, k, n) =>
        {
            double beta = bench.Pick(0, 0, 1, -0.5);
            turn++;
            (bool transposeA, bool transposeB) = ((turn & 1) != 0, (turn & 2) != 0);
            bench.Begin($"[{m}, {k}] [{k}, {n}], transposed {transposeA}, {transposeB}, beta {beta}");
            Twin a = transposeA ? bench.In(k, m) : bench.In(m, k);
            Twin b = transposeB ? bench.In(n, k) : bench.In(k, n);
            Twin c = beta == 0 ? bench.Out(m, n) : bench.InOut(m, n);
            bench.Run((backend, t) => backend.Multiply(t(a), transposeA, t(b), transposeB, beta, t(c)));
            CheckProduct(bench, c, Magnitudes(bench, a, transposeA, b, transposeB), k, beta);
            bench.End();
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Packing_in_parts_stacks_them_and_leaves_the_rest_zero_and_packing_again_replaces(string backend)
    {
        using var bench = new Bench(backend, 8);
        foreach ((int first, int second, int rest, int n) in
            ((int, int, int, int)[])[(1, 2, 0, 3), (3, 5, 2, 17), (8, 16, 1, 33), (33, 17, 0, 8), (0, 5, 3, 1), (130, 127, 9, 25)])
        {
            bench.Begin($"parts of {first} and {second} rows with {rest} left, {n} columns");
            int k = first + second + rest;
            Twin a = bench.In(13, k);
            Twin old = bench.In(k - rest, n);
            Twin top = bench.In(n, first);
            Twin below = bench.In(second, n);
            Twin c = bench.Out(13, n);
            bench.Run((backend, t) =>
            {
                PackedMatrix packed = backend.CreatePacked(k, n);
                backend.Pack(t(old), false, packed);
                backend.Pack(t(below), false, packed, first);
                backend.Pack(t(top), true, packed, 0);
                backend.Multiply(t(a), packed, 0, t(c));
            });
            bench.Check(c, "c", (i, j) => Tolerance.Sum(bench.Unit, k, 4 * k));
            bench.End();
        }
    }

    [Theory]
    [MemberData(nameof(BackendsAndActivations))]
    public void A_product_with_its_activation_equals_the_two_after_each_other(string backend, Activation f)
    {
        using var bench = new Bench(backend, 9);
        foreach (int n in (int[])[0, 2, 4, 6, 8, 12, 14, 16, 18, 32, 34, 64, 98])
        {
            int valueRows = bench.Pick(0, 1, 2, 3, 6, 13, 33);
            int rows = valueRows * bench.Pick(1, 2, 3);
            int k = bench.Pick(0, 1, 2, 3, 8, 17, 64, 257);
            bench.Begin($"{f} after [{rows}, {k}] [{k}, {n}], {valueRows} value rows");
            Twin x = bench.In(rows, k);
            Twin w = bench.In(k, n);
            Twin bias = bench.In(1, n);
            Twin theta = Parameters(bench, f);
            Twin pre = bench.Out(rows, n);
            Twin y = bench.Out(rows, f.OutputColumns(n));
            bench.Run((backend, t) =>
            {
                PackedMatrix packed = backend.CreatePacked(k, n);
                backend.Pack(t(w), false, packed);
                backend.MultiplyActivate(t(x), packed, t(bias), f, t(theta), valueRows, t(pre), t(y));
            });
            double[] magnitudes = Magnitudes(bench, x, false, w, false);
            bench.Check(
                pre, "pre", (i, j) => Tolerance.Sum(bench.Unit, k, magnitudes[(i * n) + j] + (i < valueRows ? Math.Abs(bias[0, j]) : 0)));

            // y from the pre of the backend under test, which may lie on the other side of a kink.
            double[] input = Bench.Read(bench.Subject, pre.Subject);
            Tensor again = bench.OfReference(rows, n, input);
            bench.Reference.Activate(f, theta.Reference, again, valueRows, y.Reference);
            bench.Check(y, "y", ActivateTolerance(bench, f, y, input, n, valueRows));
            bench.End();
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_product_times_slopes_equals_the_two_after_each_other(string backend)
    {
        using var bench = new Bench(backend, 10);
        ForEachProduct(
            bench,
            (m, k, n) =>
            {
                bench.Begin($"slopes * [{m}, {k}] [{k}, {n}]");
                Twin v = bench.In(m, k);
                Twin w = bench.In(k, n);
                Twin slopes = bench.In(m, n);
                Twin y = bench.Out(m, n);
                bench.Run((backend, t) =>
                {
                    PackedMatrix packed = backend.CreatePacked(k, n);
                    backend.Pack(t(w), false, packed);
                    backend.MultiplySlopes(t(v), packed, t(slopes), t(y));
                });
                double[] magnitudes = Magnitudes(bench, v, false, w, false);
                bench.Check(y, "y", (i, j) => Tolerance.Sum(bench.Unit, k, magnitudes[(i * n) + j] * Math.Abs(slopes[i, j])));
                bench.End();
            },
            share: 4);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Random_fills_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 11);
        foreach (int columns in Enumerable.Range(0, 20).Concat([33, 64, 201]))
        {
            int rows = bench.Pick(0, 1, 2, 3, 7);
            bench.Begin($"[{rows}, {columns}]");
            var key = new RandomKey((ulong)bench.Random.NextInt64(), RandomPurpose.Test, (uint)columns, 3);
            Twin x = bench.Out(rows, columns);
            Twin signs = bench.Out(rows, columns);
            bench.Run((b, t) =>
            {
                b.FillNormal(key, 5, t(x));
                b.FillSigns(key, 5, t(signs));
            });
            double[] expected = Bench.Read(bench.Reference, x.Reference);
            double cosine = Tolerance.Transcendental(Tolerance.Unit(Precision.Float64), 8); // of an angle rounded in double
            bench.Check(x, "normal", (i, j) => Tolerance.Arithmetic(bench.Unit, Math.Abs(expected[(i * columns) + j])) + cosine);
            bench.Check(signs, "sign", 0);
            bench.End();
        }
    }

    /// <summary>All lengths 0..70 in few rows, and some larger odd shapes; begins and ends the case.</summary>
    private static void ForEachShape(Bench bench, Action<int, int> body)
    {
        foreach (int columns in Enumerable.Range(0, 71).Concat([97, 128, 199, 201]))
        {
            Case(bench.Pick(0, 1, 2, 3, 5), columns);
        }

        foreach (int rows in (int[])[0, 1, 2, 3, 16, 17, 31, 64, 65, 127, 200])
        {
            Case(rows, bench.Pick(1, 2, 3, 8, 13, 16));
        }

        void Case(int rows, int columns)
        {
            bench.Begin($"[{rows}, {columns}]");
            body(rows, columns);
            bench.End();
        }
    }

    private static void ForEachProduct(Bench bench, Action<int, int, int> body, int share = 1)
    {
        int turn = 0;
        foreach (int m in ProductSizes)
        {
            foreach (int n in ProductSizes)
            {
                if (turn++ % share == 0)
                {
                    body(m, bench.Pick(InnerSizes), n);
                }
            }
        }

        foreach ((int m, int k, int n) in DeepSizes)
        {
            body(m, k, n);
        }
    }

    /// <summary>Sums of absolute products.</summary>
    private static double[] Magnitudes(Bench bench, Twin a, bool transposeA, Twin b, bool transposeB)
    {
        Tensor left = bench.OfReference(a.Rows, a.Columns, [.. a.Values.Select(Math.Abs)]);
        Tensor right = bench.OfReference(b.Rows, b.Columns, [.. b.Values.Select(Math.Abs)]);
        Tensor c = bench.Reference.Allocate(transposeA ? a.Columns : a.Rows, transposeB ? b.Rows : b.Columns);
        bench.Reference.Multiply(left, transposeA, right, transposeB, 0, c);
        return Bench.Read(bench.Reference, c);
    }

    private static void CheckProduct(Bench bench, Twin c, double[] magnitudes, int k, double beta) => bench.Check(
        c,
        "c",
        (i, j) => Tolerance.Sum(bench.Unit, k, magnitudes[(i * c.Columns) + j] + (beta == 0 ? 0 : Math.Abs(beta * c[i, j]))));
}
