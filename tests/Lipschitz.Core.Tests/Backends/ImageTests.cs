using Lipschitz.Backends;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Backends;

/// <summary>Convolutions, pictures and classes of the reference, by hand and against differences.</summary>
public class ImageTests
{
    [Fact]
    public void A_convolution_by_hand_with_zeros_around_the_picture()
    {
        // 1 2 3      the kernel's middle takes the pixel itself, row 0 the pixel above, column 2 the one to the right
        // 4 5 6
        var shape = new ConvolutionShape(2, 3, 3);
        Tensor x = Tensor(6, 1, 1, 2, 3, 4, 5, 6);
        Tensor w = Tensor(9, 1, 0, 10, 0, 0, 1, 100, 0, 0, 0);
        Assert.Equal([201, 302, 3, 514, 625, 36], Convolve(shape, x, w, 1));
        Assert.Equal([201 + 2, 302 + 2, 3 + 2, 514 + 2, 625 + 2, 36 + 2], Convolve(shape, x, w, 1, beta: 0.5, old: 4));
    }

    [Fact]
    public void Rows_of_the_weight_are_outputs_then_taps_and_columns_are_inputs()
    {
        // One pixel: only the middle taps count, row 4 of output 0 and row 13 of output 1.
        double[] weight = [.. Enumerable.Range(0, 18 * 2).Select(i => (double)i)];
        Assert.Equal([(8 * 3) + (9 * 5), (26 * 3) + (27 * 5)], Convolve(new(1, 1, 3), Tensor(1, 2, 3, 5), Tensor(18, 2, weight), 2));
    }

    [Theory]
    [InlineData(4, 5, 3, 2, 3)]
    [InlineData(3, 2, 5, 1, 2)]
    [InlineData(2, 3, 1, 4, 2)]
    public void A_convolution_equals_its_formula(int height, int width, int kernel, int inputs, int outputs)
    {
        var random = new Random(kernel);
        var shape = new ConvolutionShape(height, width, kernel);
        const int Pictures = 2;
        double[] x = Normal(random, Pictures * shape.Pixels * inputs), w = Normal(random, outputs * shape.Taps * inputs);
        double[] y = Convolve(shape, Tensor(Pictures * shape.Pixels, inputs, x), Tensor(outputs * shape.Taps, inputs, w), outputs);
        for (int i = 0; i < y.Length; i++)
        {
            (int o, int column, int row, int picture) =
                (i % outputs, i / outputs % width, i / outputs / width % height, i / outputs / width / height);
            double sum = 0;
            for (int r = 0; r < height; r++)
            {
                for (int c = 0; c < width; c++)
                {
                    (int ky, int kx) = (r - row + (kernel / 2), c - column + (kernel / 2));
                    for (int channel = 0; channel < inputs && ky >= 0 && ky < kernel && kx >= 0 && kx < kernel; channel++)
                    {
                        sum += w[(((((o * kernel) + ky) * kernel) + kx) * inputs) + channel]
                            * x[(((((picture * height) + r) * width) + c) * inputs) + channel];
                    }
                }
            }

            Close(sum, y[i]);
        }
    }

    [Theory]
    [InlineData(4, 3, 3, 2, 3)]
    [InlineData(3, 4, 5, 3, 1)]
    public void The_adjoint_and_the_weight_gradient_equal_central_differences(int height, int width, int kernel, int inputs, int outputs)
    {
        var random = new Random(10 + kernel);
        var shape = new ConvolutionShape(height, width, kernel);
        double[] x = Normal(random, 2 * shape.Pixels * inputs), w = Normal(random, outputs * shape.Taps * inputs);
        double[] y = Normal(random, 2 * shape.Pixels * outputs);
        double Loss(double[] pixels, double[] weight) => Dot(
            y, Convolve(shape, Tensor(2 * shape.Pixels, inputs, pixels), Tensor(outputs * shape.Taps, inputs, weight), outputs));

        PackedConvolution adjoint = Backend.CreatePackedConvolution(shape, outputs, inputs);
        Backend.PackConvolution(Tensor(outputs * shape.Taps, inputs, w), true, adjoint);
        Tensor back = NaNs(2 * shape.Pixels, inputs);
        Backend.Convolve(Tensor(2 * shape.Pixels, outputs, y), adjoint, 0, back);
        CloseToDifferences(Gradient(p => Loss(p, w), x), back.Read());

        Tensor gradient = Tensor(outputs * shape.Taps, inputs, [.. w.Select(_ => 7.0)]);
        Backend.ConvolutionWeightGradient(
            shape, Tensor(2 * shape.Pixels, inputs, x), Tensor(2 * shape.Pixels, outputs, y), gradient);
        CloseToDifferences(Gradient(p => Loss(x, p), w), [.. gradient.Read().Select(g => g - 7)]);
    }

    [Fact]
    public void Parts_of_the_inputs_are_packed_side_by_side()
    {
        var random = new Random(3);
        var shape = new ConvolutionShape(3, 4, 3);
        double[] left = Normal(random, 2 * 9 * 1), right = Normal(random, 2 * 9 * 3); // two outputs of one input, three of two reversed
        double[] x = Normal(random, 12 * 4);
        PackedConvolution both = Backend.CreatePackedConvolution(shape, 4, 2);
        Backend.PackConvolution(Tensor(18, 1, left), false, both);
        Backend.PackConvolution(Tensor(27, 2, right), true, both, 1);
        Tensor pixels = Tensor(12, 4, x), y = NaNs(12, 2), expected = NaNs(12, 2);
        Backend.Convolve(pixels, both, 0, y);

        PackedConvolution first = Backend.CreatePackedConvolution(shape, 1, 2), second = Backend.CreatePackedConvolution(shape, 3, 2);
        Backend.PackConvolution(Tensor(18, 1, left), false, first);
        Backend.PackConvolution(Tensor(27, 2, right), true, second);
        Backend.Convolve(pixels.ColumnRange(0, 1), first, 0, expected);
        Backend.Convolve(pixels.ColumnRange(1, 3), second, 1, expected);
        Close(expected.Read(), y.Read());
        Assert.Throws<ShapeMismatchException>(() => Backend.PackConvolution(Tensor(27, 2, right), true, both, 2));
    }

    [Fact]
    public void Even_kernels_are_refused() =>
        Assert.Throws<ShapeMismatchException>(() => Backend.CreatePackedConvolution(new(4, 4, 2), 1, 1));

    [Fact]
    public void Power_iteration_finds_the_largest_singular_value_of_the_operator()
    {
        // A kernel of ones on a line of n pixels: tridiagonal with eigenvalues 1 + 2 cos(k pi / (n + 1)).
        const int Length = 6;
        var shape = new ConvolutionShape(1, Length, 3);
        double[] w = new double[9];
        w.AsSpan(3, 3).Fill(1);
        Tensor u = Tensor(1, Length, Normal(new Random(1), Length)), v = Tensor(1, Length, Normal(new Random(2), Length)), sigma = NaNs(1, 1);
        Backend.PowerIterateConvolution(shape, Tensor(9, 1, w), 200, 0, u, v, sigma);
        Close(1 + (2 * Math.Cos(Math.PI / (Length + 1))), sigma.Read()[0]);
        Close(1, Dot(u.Read(), u.Read()));
        Close(1, Dot(v.Read(), v.Read()));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(100)]
    public void The_gradient_of_a_normalised_weight_with_the_norm_s_gradient_given_equals_central_differences(double coefficient)
    {
        var random = new Random(4);
        double[] w = Normal(random, 12), scale = Normal(random, 4), gradient = Normal(random, 12), direction = Normal(random, 12);
        double Norm(double[] weight) => 1.5 + Dot(direction, [.. weight.Zip(w, (a, b) => a - b)]);
        double Loss(double[] weight, double[] columns)
        {
            Tensor effective = NaNs(3, 4);
            Backend.NormaliseWeight(Tensor(3, 4, weight), Tensor(1, 1, Norm(weight)), coefficient, Tensor(1, 4, columns), effective);
            return Dot(gradient, effective.Read());
        }

        Tensor weightGradient = Tensor(3, 4, gradient), columnGradient = NaNs(1, 4);
        Backend.NormaliseWeightBackward(
            Tensor(3, 4, w), Tensor(3, 4, direction), Tensor(1, 1, 1.5), coefficient, Tensor(1, 4, scale), weightGradient, columnGradient);
        CloseToDifferences(Gradient(p => Loss(p, scale), w), weightGradient.Read());
        CloseToDifferences(Gradient(p => Loss(w, p), scale), columnGradient.Read());
    }

    [Fact]
    public void Squeezing_puts_channel_c_of_offset_dy_dx_at_4_c_plus_2_dy_plus_dx()
    {
        var shape = new ImageShape(4, 6, 3);
        Tensor x = Tensor(2, shape.Count, [.. Enumerable.Range(0, 2 * shape.Count).Select(i => (double)i)]), y = NaNs(2, shape.Count);
        Backend.Squeeze(x, shape, y);
        double[] squeezed = y.Read();
        for (int b = 0; b < 2; b++)
        {
            for (int row = 0; row < 2; row++)
            {
                for (int column = 0; column < 3; column++)
                {
                    for (int channel = 0; channel < 12; channel++)
                    {
                        (int c, int dy, int dx) = (channel / 4, channel % 4 / 2, channel % 2);
                        int from = (b * shape.Count) + (((((2 * row) + dy) * 6) + (2 * column) + dx) * 3) + c;
                        Assert.Equal(from, squeezed[(b * shape.Count) + (((row * 3) + column) * 12) + channel]);
                    }
                }
            }
        }

        Tensor back = NaNs(2, shape.Count);
        Backend.Unsqueeze(y, shape, back);
        Assert.Equal(x.Read(), back.Read());
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(1e-6)]
    public void The_logit_has_the_log_determinant_of_its_slopes_the_inverse_and_the_gradient(double alpha)
    {
        var random = new Random(5);
        double[] x = [.. Enumerable.Range(0, 8).Select(_ => 0.05 + (0.9 * random.NextDouble()))];
        double[] yGradient = Normal(random, 8), logDetGradient = Normal(random, 2);
        (double[] Y, double[] LogDet) Forward(double[] at)
        {
            Tensor y = NaNs(2, 4), logDet = Tensor(2, 1, 3, -1);
            Backend.LogitForward(Tensor(2, 4, at), alpha, y, logDet);
            return (y.Read(), logDet.Read());
        }

        (double[] values, double[] logDets) = Forward(x);
        double[] expected = [3, -1];
        for (int i = 0; i < 8; i++)
        {
            double s = alpha + ((1 - (2 * alpha)) * x[i]);
            Close(Math.Log(s / (1 - s)), values[i]);
            expected[i / 4] += Math.Log(Gradient(at => Forward(at).Y[i], x)[i]);
        }

        Close(expected, logDets, 1e-7);
        Tensor back = NaNs(2, 4), gradient = NaNs(2, 4);
        Backend.LogitInverse(Tensor(2, 4, values), alpha, back);
        Close(x, back.Read());
        Backend.LogitBackward(Tensor(2, 4, values), alpha, Tensor(2, 4, yGradient), Tensor(2, 1, logDetGradient), gradient);
        double Loss(double[] at) => Dot(yGradient, Forward(at).Y) + Dot(logDetGradient, Forward(at).LogDet);
        CloseToDifferences(Gradient(Loss, x), gradient.Read());
    }

    [Fact]
    public void The_cross_entropy_is_that_of_the_softmax_and_its_gradient_equals_central_differences()
    {
        double[] logits = Normal(new Random(6), 6);
        double[] Loss(double[] at, out double[] gradient)
        {
            Tensor loss = NaNs(2, 1), derivative = NaNs(2, 3);
            Backend.SoftmaxCrossEntropy(Tensor(2, 3, at), Tensor(2, 1, 2, 0), loss, derivative);
            gradient = derivative.Read();
            return loss.Read();
        }

        double[] losses = Loss(logits, out double[] gradient);
        double[] e = [.. logits.Select(Math.Exp)];
        Close([-Math.Log(e[2] / (e[0] + e[1] + e[2])), -Math.Log(e[3] / (e[3] + e[4] + e[5]))], losses);
        CloseToDifferences(Gradient(at => Loss(at, out _).Sum(), logits), gradient);
        Close([1000, 0], Loss([0, 1000, 0, 1000, 0, 0], out _)); // no overflow
    }

    private static double[] Convolve(ConvolutionShape shape, Tensor x, Tensor w, int outputs, double beta = 0, double old = double.NaN)
    {
        PackedConvolution packed = Backend.CreatePackedConvolution(shape, x.Columns, outputs);
        Backend.PackConvolution(w, false, packed);
        Tensor y = NaNs(x.Rows, outputs);
        Backend.Fill(y, old);
        Backend.Convolve(x, packed, beta, y);
        return y.Read();
    }
}
