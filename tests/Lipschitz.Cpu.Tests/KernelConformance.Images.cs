using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <content>Convolutions.</content>
public partial class KernelConformance
{
    /// <summary>Odd and even pictures, single pixels, lines, no pictures; few and many channels either way; kernels 1, 3, 5, 7.</summary>
    private static readonly (int Pictures, int Height, int Width, int Kernel, int Inputs, int Outputs)[] Convolutions =
    [
        (1, 1, 1, 3, 1, 1), (2, 1, 1, 3, 17, 19), (1, 1, 1, 5, 2, 3), (3, 1, 7, 3, 1, 1), (2, 6, 1, 3, 18, 16), (1, 1, 5, 3, 33, 40),
        (0, 4, 4, 3, 3, 5), (0, 5, 5, 3, 20, 20), (0, 4, 4, 1, 3, 5), (1, 4, 4, 3, 0, 5), (1, 4, 4, 3, 5, 0), (1, 3, 3, 1, 0, 2),
        (1, 5, 4, 3, 1, 1), (2, 4, 5, 3, 1, 20), (2, 5, 5, 3, 20, 1), (1, 6, 6, 3, 3, 124), (1, 6, 5, 3, 124, 3), (2, 7, 4, 3, 12, 31),
        (2, 4, 7, 3, 31, 12), (1, 8, 8, 3, 15, 16), (1, 8, 8, 3, 16, 15), (3, 4, 4, 3, 16, 16), (2, 7, 7, 3, 17, 33), (1, 5, 9, 3, 33, 17),
        (2, 3, 2, 3, 60, 47), (1, 14, 14, 3, 24, 20), (1, 4, 4, 3, 400, 18), (1, 3, 5, 3, 21, 131), (13, 4, 4, 3, 16, 18),
        (1, 24, 24, 3, 16, 16), (1, 25, 27, 3, 17, 21), (2, 26, 24, 3, 19, 16), (1, 24, 31, 3, 33, 18), (1, 27, 24, 3, 2, 5),
        (2, 5, 6, 1, 7, 9), (1, 4, 4, 1, 375, 3), (1, 4, 4, 1, 3, 75), (2, 3, 3, 1, 40, 40), (1, 2, 2, 1, 1, 1),
        (1, 5, 6, 5, 3, 4), (2, 4, 3, 5, 6, 20), (1, 3, 4, 5, 20, 6), (1, 6, 6, 5, 18, 18), (1, 4, 9, 7, 2, 3), (1, 2, 2, 7, 5, 2),
    ];

    [Theory]
    [MemberData(nameof(Backends))]
    public void Convolutions_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 80);
        ForEachConvolution(bench, (rows, shape, inputs, outputs) =>
        {
            double beta = bench.Pick(0, 0, 1, 0.5);
            Twin x = bench.In(rows, inputs);
            Twin w = bench.In(outputs * shape.Taps, inputs);
            Twin y = beta == 0 ? bench.Out(rows, outputs) : bench.InOut(rows, outputs);
            bench.Run((b, t) =>
            {
                PackedConvolution packed = b.CreatePackedConvolution(shape, inputs, outputs);
                Assert.Equal((shape, inputs, outputs), (packed.Shape, packed.Inputs, packed.Outputs));
                b.PackConvolution(t(w), false, packed);
                b.Convolve(t(x), packed, beta, t(y));
            });
            double magnitude = Largest(Magnitudes(bench, shape, x, w, false, outputs)) + (beta == 0 ? 0 : Largest(y.Values));
            bench.Check(y, $"y, beta {beta}", Tolerance.Sum(bench.Unit, inputs * shape.Taps, magnitude));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Adjoint_convolutions_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 81);
        ForEachConvolution(bench, (rows, shape, inputs, outputs) =>
        {
            double beta = bench.Pick(0, 0, 1, 0.5);
            Twin x = bench.In(rows, inputs);
            Twin w = bench.In(inputs * shape.Taps, outputs);
            Twin y = beta == 0 ? bench.Out(rows, outputs) : bench.InOut(rows, outputs);
            bench.Run((b, t) =>
            {
                PackedConvolution packed = b.CreatePackedConvolution(shape, inputs, outputs);
                b.PackConvolution(t(w), true, packed);
                b.Convolve(t(x), packed, beta, t(y));
            });
            double magnitude = Largest(Magnitudes(bench, shape, x, w, true, outputs)) + (beta == 0 ? 0 : Largest(y.Values));
            bench.Check(y, $"y, beta {beta}", Tolerance.Sum(bench.Unit, inputs * shape.Taps, magnitude));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Convolutions_packed_in_parts_put_them_side_by_side_and_packing_again_replaces(string backend)
    {
        using var bench = new Bench(backend, 82);
        foreach ((int size, int kernel, int first, int second, int rest, int outputs) in
            ((int, int, int, int, int, int)[])
            [
                (5, 3, 3, 5, 2, 7), (5, 3, 9, 17, 1, 20), (24, 3, 3, 16, 2, 17), (4, 3, 31, 33, 5, 4), (4, 1, 7, 12, 3, 18), (4, 1, 30, 2, 0, 2),
                (3, 5, 2, 3, 1, 3), (6, 3, 16, 16, 0, 16),
            ])
        {
            bench.Begin($"{size} x {size}, kernel {kernel}, {first} + {second} + {rest} inputs, {outputs} outputs");
            var shape = new ConvolutionShape(size, size, kernel);
            int inputs = first + second + rest;
            Twin x = bench.In(shape.Pixels, inputs);
            Twin old = bench.In(outputs * shape.Taps, inputs - rest);
            Twin left = bench.In(outputs * shape.Taps, first);
            Twin right = bench.In(second * shape.Taps, outputs);
            Twin y = bench.Out(shape.Pixels, outputs);
            bench.Run((b, t) =>
            {
                PackedConvolution packed = b.CreatePackedConvolution(shape, inputs, outputs);
                b.PackConvolution(t(old), false, packed);
                b.PackConvolution(t(right), true, packed, first);
                b.PackConvolution(t(left), false, packed);
                b.Convolve(t(x), packed, 0, t(y));
            });
            bench.Check(y, "y", Tolerance.Sum(bench.Unit, inputs * shape.Taps, 4 * inputs * shape.Taps));
            bench.End();
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void The_two_directions_of_a_convolution_are_adjoint(string backend)
    {
        using var bench = new Bench(backend, 83);
        IBackend b = bench.Subject;
        ForEachConvolution(bench, (rows, shape, inputs, outputs) =>
        {
            Twin x = bench.In(rows, inputs), y = bench.In(rows, outputs), w = bench.In(outputs * shape.Taps, inputs);
            PackedConvolution forward = b.CreatePackedConvolution(shape, inputs, outputs);
            PackedConvolution adjoint = b.CreatePackedConvolution(shape, outputs, inputs);
            b.PackConvolution(w.Subject, false, forward);
            b.PackConvolution(w.Subject, true, adjoint);
            Tensor image = b.Allocate(rows, outputs), back = b.Allocate(rows, inputs);
            b.Convolve(x.Subject, forward, 0, image);
            b.Convolve(y.Subject, adjoint, 0, back);
            double magnitude = Magnitudes(bench, shape, x, w, false, outputs).Zip(y.Values, (a, c) => a * Math.Abs(c)).Sum();
            double difference = Sum(Bench.Read(b, image), y.Values) - Sum(Bench.Read(b, back), x.Values);
            Assert.True(
                Math.Abs(difference) <= Tolerance.Sum(bench.Unit, inputs * shape.Taps, magnitude), $"{shape} {inputs} {outputs}: {difference}");
        });

        static double Sum(double[] x, double[] y) => x.Zip(y, (a, c) => a * c).Sum();
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Weight_gradients_of_convolutions_equal_the_reference_and_are_added(string backend)
    {
        using var bench = new Bench(backend, 84);
        ForEachConvolution(bench, (rows, shape, inputs, outputs) =>
        {
            Twin x = bench.In(rows, inputs);
            Twin y = bench.In(rows, outputs);
            Twin gradient = bench.InOut(outputs * shape.Taps, inputs);
            bench.Run((b, t) => b.ConvolutionWeightGradient(shape, t(x), t(y), t(gradient)));
            Tensor magnitudes = bench.OfReference(gradient.Rows, inputs, [.. gradient.Values.Select(Math.Abs)]);
            bench.Reference.ConvolutionWeightGradient(shape, Absolute(bench, x), Absolute(bench, y), magnitudes);
            double magnitude = Largest(Bench.Read(bench.Reference, magnitudes));
            bench.Check(gradient, "gradient", Tolerance.Sum(bench.Unit, rows, magnitude));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_convolution_with_its_activation_equals_the_two_after_each_other(string backend)
    {
        using var bench = new Bench(backend, 85);
        foreach ((int size, int kernel, int inputs, int outputs) in
            ((int, int, int, int)[])[(4, 3, 18, 20), (3, 3, 3, 16), (4, 3, 20, 4), (24, 3, 16, 18), (3, 1, 6, 8), (5, 5, 2, 6)])
        {
            foreach (Activation f in (Activation[])[Activation.CLipSwish, Activation.LipSwish, Activation.MaxMin])
            {
                var shape = new ConvolutionShape(size, size, kernel);
                int valueRows = shape.Pixels * bench.Pick(0, 1, 2), rows = valueRows * bench.Pick(1, 2, 3);
                bench.Begin($"{f} after {shape}, {inputs} to {outputs}, {valueRows} of {rows} rows are values");
                Twin x = bench.In(rows, inputs);
                Twin w = bench.In(outputs * shape.Taps, inputs);
                Twin bias = bench.In(1, outputs);
                Twin theta = Parameters(bench, f);
                Twin pre = bench.Out(rows, outputs);
                Twin y = bench.Out(rows, f.OutputColumns(outputs));
                bench.Run((b, t) =>
                {
                    PackedConvolution packed = b.CreatePackedConvolution(shape, inputs, outputs);
                    b.PackConvolution(t(w), false, packed);
                    b.ConvolveActivate(t(x), packed, t(bias), f, t(theta), valueRows, t(pre), t(y));
                });
                double magnitude = Largest(Magnitudes(bench, shape, x, w, false, outputs)) + Largest(bias.Values);
                bench.Check(pre, "pre", Tolerance.Sum(bench.Unit, inputs * shape.Taps, magnitude));

                // y from the pre of the backend under test, which may lie on the other side of a kink.
                double[] input = Bench.Read(bench.Subject, pre.Subject);
                Tensor again = bench.OfReference(rows, outputs, input);
                bench.Reference.Activate(f, theta.Reference, again, valueRows, y.Reference);
                bench.Check(y, "y", ActivateTolerance(bench, f, y, input, outputs, valueRows));
                bench.End();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Power_iterates_of_convolutions_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 86);
        foreach ((int height, int width, int kernel, int inputs, int outputs) in
            ((int, int, int, int, int)[])
            [
                (1, 1, 3, 1, 1), (4, 5, 3, 3, 17), (5, 4, 3, 17, 3), (5, 5, 3, 18, 20), (24, 24, 3, 16, 16), (3, 3, 1, 5, 7), (4, 4, 1, 9, 2),
                (4, 3, 5, 2, 3),
            ])
        {
            foreach (int iterations in (int[])[0, 1, 2, 5])
            {
                var shape = new ConvolutionShape(height, width, kernel);
                bench.Begin($"{shape}, {inputs} to {outputs}, {iterations} iterations");
                int m = shape.Pixels * outputs, n = shape.Pixels * inputs;
                Twin w = bench.In(outputs * shape.Taps, inputs);
                Twin u = bench.InOut(1, m, Unit(bench, m));
                Twin v = bench.InOut(1, n, Unit(bench, n));
                Twin sigma = bench.Out(1, 1);
                bench.Run((b, t) => b.PowerIterateConvolution(shape, t(w), iterations, 0, t(u), t(v), t(sigma)));
                double size = shape.Kernel * Math.Sqrt(w.Values.Sum(x => x * x));
                bench.Check(sigma, "sigma", Tolerance.Iteration(bench.Unit, inputs * shape.Taps, size));
                bench.Check(u, "u", iterations == 0 ? 0 : Tolerance.Iteration(bench.Unit, inputs * shape.Taps, 1));
                bench.Check(v, "v", iterations == 0 ? 0 : Tolerance.Iteration(bench.Unit, inputs * shape.Taps, 1));
                bench.End();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Power_iteration_of_a_convolution_stops_early_and_gives_zero_for_zero(string backend)
    {
        using var bench = new Bench(backend, 87);
        var shape = new ConvolutionShape(4, 3, 3);
        bench.Begin("the middle taps are diagonal: 4, 2, 1, ..");
        double[] weight = new double[5 * 9 * 5];
        for (int c = 0; c < 5; c++)
        {
            weight[(((c * 9) + 4) * 5) + c] = Math.ScaleB(4, -c);
        }

        Twin w = bench.In(5 * 9, 5, weight);
        Twin none = bench.In(5 * 9, 5, new double[5 * 9 * 5]);
        Twin u = bench.InOut(1, 60, Unit(bench, 60));
        Twin v = bench.InOut(1, 60, Unit(bench, 60));
        Twin left = bench.InOut(1, 60);
        Twin right = bench.InOut(1, 60);
        Twin sigma = bench.Out(1, 1);
        Twin zero = bench.Out(1, 1);
        bench.Run((b, t) =>
        {
            b.PowerIterateConvolution(shape, t(w), 500, 1e-3, t(u), t(v), t(sigma));
            b.PowerIterateConvolution(shape, t(none), 3, 0, t(left), t(right), t(zero));
        });
        bench.Check(sigma, "sigma", Tolerance.Iteration(bench.Unit, 45, 4));
        RequireEarlyStop(bench, u, v, 45, second: 1, period: 5);
        bench.CheckExact(zero, "sigma of zero");
        bench.CheckExact(left, "u of zero");
        bench.CheckExact(right, "v of zero");
        bench.End();
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Even_kernels_wrong_channels_and_broken_pictures_are_refused(string backend)
    {
        using var bench = new Bench(backend, 88);
        IBackend b = bench.Subject;
        var shape = new ConvolutionShape(3, 3, 3);
        PackedConvolution packed = b.CreatePackedConvolution(shape, 2, 4);
        Assert.Throws<ShapeMismatchException>(() => b.PackConvolution(b.Allocate(36, 3), false, packed));
        Assert.Throws<ShapeMismatchException>(() => b.PackConvolution(b.Allocate(36, 1), false, packed, 2));
        Assert.Throws<ShapeMismatchException>(() => b.PackConvolution(b.Allocate(17, 4), true, packed));
        Assert.Throws<ShapeMismatchException>(() => b.Convolve(b.Allocate(10, 2), packed, 0, b.Allocate(10, 4)));
        Assert.Throws<ShapeMismatchException>(() => b.Convolve(b.Allocate(9, 3), packed, 0, b.Allocate(9, 4)));
        Assert.Throws<ShapeMismatchException>(() => b.Convolve(b.Allocate(9, 2), packed, 0, b.Allocate(9, 3)));
        Assert.Throws<ShapeMismatchException>(
            () => b.ConvolutionWeightGradient(shape, b.Allocate(9, 2), b.Allocate(9, 4), b.Allocate(36, 3)));
        Assert.Throws<ShapeMismatchException>(() => b.CreatePackedConvolution(new(3, 3, 2), 2, 4));
    }

    /// <summary>Begins and ends a case for each of <see cref="Convolutions"/>; rows are all pixels.</summary>
    private static void ForEachConvolution(Bench bench, Action<int, ConvolutionShape, int, int> body)
    {
        foreach ((int pictures, int height, int width, int kernel, int inputs, int outputs) in Convolutions)
        {
            var shape = new ConvolutionShape(height, width, kernel);
            bench.Begin($"{pictures} pictures, {shape}, {inputs} to {outputs}");
            body(pictures * shape.Pixels, shape, inputs, outputs);
            bench.End();
        }
    }

    /// <summary>
    /// Sums of absolute products. Winograd's transforms mix the pixels of a tile, so that the largest of them and not each counts.
    /// </summary>
    private static double[] Magnitudes(Bench bench, ConvolutionShape shape, Twin x, Twin w, bool adjoint, int outputs)
    {
        PackedConvolution packed = bench.Reference.CreatePackedConvolution(shape, x.Columns, outputs);
        bench.Reference.PackConvolution(Absolute(bench, w), adjoint, packed);
        Tensor y = bench.Reference.Allocate(x.Rows, outputs);
        bench.Reference.Convolve(Absolute(bench, x), packed, 0, y);
        return Bench.Read(bench.Reference, y);
    }

    private static Tensor Absolute(Bench bench, Twin x) => bench.OfReference(x.Rows, x.Columns, [.. x.Values.Select(Math.Abs)]);

    private static double Largest(double[] x) => x.Length == 0 ? 0 : x.Max(Math.Abs);
}
