using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Backends;

/// <content>Pictures, classes.</content>
public sealed partial class ReferenceBackend<T>
{
    // ---- convolution ----

    /// <inheritdoc/>
    public PackedConvolution CreatePackedConvolution(ConvolutionShape shape, int inputs, int outputs) => new Kernel(shape, inputs, outputs);

    /// <inheritdoc/>
    public void PackConvolution(Tensor weight, bool adjoint, PackedConvolution destination, int inputStart = 0)
    {
        int taps = destination.Shape.Taps;
        int inputs = RequireRoom(weight, adjoint, destination, inputStart);

        var from = new View(weight);
        var to = new View(((Kernel)destination).Weight);
        for (int o = 0; o < destination.Outputs; o++)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                for (int c = 0; c < inputs; c++)
                {
                    // The adjoint reads the pixel that the convolution writes: each offset changes its sign.
                    to[(o * taps) + tap, inputStart + c] = adjoint ? from[(c * taps) + taps - 1 - tap, o] : from[(o * taps) + tap, c];
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Convolve(Tensor x, PackedConvolution w, double beta, Tensor y)
    {
        int pictures = RequirePictures(x, w, y);
        var input = new View(x);
        var weight = new View(((Kernel)w).Weight);
        var output = new View(y);
        for (int o = 0; o < w.Outputs; o++)
        {
            for (int picture = 0; picture < pictures; picture++)
            {
                for (int pixel = 0; pixel < w.Shape.Pixels; pixel++)
                {
                    double sum = 0;
                    for (int tap = 0; tap < w.Shape.Taps; tap++)
                    {
                        int from = Neighbour(w.Shape, picture, pixel, tap);
                        for (int c = 0; from >= 0 && c < w.Inputs; c++)
                        {
                            sum += weight[(o * w.Shape.Taps) + tap, c] * input[from, c];
                        }
                    }

                    int row = (picture * w.Shape.Pixels) + pixel;
                    output[row, o] = beta == 0 ? sum : sum + (beta * output[row, o]);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void ConvolutionWeightGradient(ConvolutionShape shape, Tensor x, Tensor yGradient, Tensor gradient)
    {
        Require(yGradient, x.Rows, yGradient.Columns, "yGradient");
        Require(gradient, yGradient.Columns * shape.Taps, x.Columns, "gradient");
        int pictures = RequireBlocks(x, shape.Pixels, "x");
        var input = new View(x);
        var output = new View(yGradient);
        var result = new View(gradient);
        for (int o = 0; o < yGradient.Columns; o++)
        {
            for (int tap = 0; tap < shape.Taps; tap++)
            {
                for (int c = 0; c < x.Columns; c++)
                {
                    double sum = 0;
                    for (int picture = 0; picture < pictures; picture++)
                    {
                        for (int pixel = 0; pixel < shape.Pixels; pixel++)
                        {
                            int from = Neighbour(shape, picture, pixel, tap);
                            sum += from < 0 ? 0 : output[(picture * shape.Pixels) + pixel, o] * input[from, c];
                        }
                    }

                    result[(o * shape.Taps) + tap, c] += sum;
                }
            }
        }
    }

    /// <inheritdoc/>
    public void PowerIterateConvolution(
        ConvolutionShape shape, Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma)
    {
        int outputs = w.Rows / shape.Taps, inputs = w.Columns;
        Require(w, outputs * shape.Taps, inputs, "w");
        Require(u, 1, shape.Pixels * outputs, "u");
        Require(v, 1, shape.Pixels * inputs, "v");
        Require(sigma, 1, 1, "sigma");
        PackedConvolution forward = CreatePackedConvolution(shape, inputs, outputs), adjoint = CreatePackedConvolution(shape, outputs, inputs);
        PackConvolution(w, false, forward);
        PackConvolution(w, true, adjoint);
        IBackend memory = this;
        Tensor left = memory.Allocate(shape.Pixels, outputs), right = memory.Allocate(shape.Pixels, inputs);
        Tensor pixels = v.Reshape(shape.Pixels, inputs), images = u.Reshape(shape.Pixels, outputs);
        Span<double> value = stackalloc double[1];
        double last = double.NaN;
        int made = 0;
        Convolve(pixels, forward, 0, left);
        while (made < iterations)
        {
            double norm = Length(left);
            if (norm == 0)
            {
                break;
            }

            made++;
            Axpby(1 / norm, left, 0, images);
            Convolve(images, adjoint, 0, right);
            Axpby(1 / Length(right), right, 0, pixels);
            Convolve(pixels, forward, 0, left);
            double estimate = Dot(images, left);
            if (tolerance > 0 && Math.Abs(estimate - last) <= tolerance * estimate)
            {
                break;
            }

            last = estimate;
        }

        value[0] = Length(left) == 0 ? 0 : Dot(images, left);
        Upload(value, sigma);
    }

    /// <inheritdoc/>
    public void NormaliseWeightBackward(
        Tensor w, Tensor sigmaGradient, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient)
    {
        (int m, int n) = (w.Rows, w.Columns);
        Require(sigmaGradient, m, n, "sigmaGradient");
        Require(columnScale, 1, n, "columnScale");
        Require(gradient, m, n, "gradient");
        Require(columnGradient, 1, n, "columnGradient");
        var weight = new View(w);
        var direction = new View(sigmaGradient);
        var scale = new View(columnScale);
        var g = new View(gradient);
        var column = new View(columnGradient);
        double norm = new View(sigma)[0, 0];
        bool isScaled = norm > coefficient;
        double factor = isScaled ? coefficient / norm : 1;
        double product = 0;
        for (int j = 0; j < n; j++)
        {
            double sum = 0;
            for (int i = 0; i < m; i++)
            {
                sum += g[i, j] * weight[i, j] * factor;
                product += g[i, j] * scale[0, j] * weight[i, j];
            }

            column[0, j] = sum;
        }

        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double scaled = g[i, j] * scale[0, j];
                g[i, j] = isScaled ? factor * (scaled - (product / norm * direction[i, j])) : scaled;
            }
        }
    }

    // ---- pictures ----

    /// <inheritdoc/>
    public void Squeeze(Tensor x, ImageShape shape, Tensor y) => Rearrange(x, shape, y, (from, to, a, b) => to[b.Row, b.Column] = from[a.Row, a.Column]);

    /// <inheritdoc/>
    public void Unsqueeze(Tensor y, ImageShape shape, Tensor x) => Rearrange(x, shape, y, (to, from, a, b) => to[a.Row, a.Column] = from[b.Row, b.Column]);

    /// <inheritdoc/>
    public void LogitForward(Tensor x, double alpha, Tensor y, Tensor logDet)
    {
        Require(y, x.Rows, x.Columns, "y");
        Require(logDet, x.Rows, 1, "logDet");
        var from = new View(x);
        var to = new View(y);
        var sums = new View(logDet);
        for (int i = 0; i < x.Rows; i++)
        {
            double sum = 0;
            for (int j = 0; j < x.Columns; j++)
            {
                double s = alpha + ((1 - (2 * alpha)) * from[i, j]);
                to[i, j] = Math.Log(s) - Math.Log(1 - s);
                sum += Math.Log(1 - (2 * alpha)) - Math.Log(s) - Math.Log(1 - s);
            }

            sums[i, 0] += sum;
        }
    }

    /// <inheritdoc/>
    public void LogitInverse(Tensor y, double alpha, Tensor x)
    {
        Require(x, y.Rows, y.Columns, "x");
        var from = new View(y);
        var to = new View(x);
        for (int i = 0; i < y.Rows; i++)
        {
            for (int j = 0; j < y.Columns; j++)
            {
                to[i, j] = ((1 / (1 + Math.Exp(-from[i, j]))) - alpha) / (1 - (2 * alpha));
            }
        }
    }

    /// <inheritdoc/>
    public void LogitBackward(Tensor y, double alpha, Tensor yGradient, Tensor logDetGradient, Tensor xGradient)
    {
        Require(yGradient, y.Rows, y.Columns, "yGradient");
        Require(logDetGradient, y.Rows, 1, "logDetGradient");
        Require(xGradient, y.Rows, y.Columns, "xGradient");
        var from = new View(y);
        var gy = new View(yGradient);
        var gl = new View(logDetGradient);
        var to = new View(xGradient);
        for (int i = 0; i < y.Rows; i++)
        {
            for (int j = 0; j < y.Columns; j++)
            {
                // s'(y) = s (1 - s), dy/dx = (1 - 2 alpha) / (s (1 - s)), dlogDet/dx = (1 - 2 alpha) (2 s - 1) / (s (1 - s)).
                double s = 1 / (1 + Math.Exp(-from[i, j])), rest = 1 / (1 + Math.Exp(from[i, j]));
                to[i, j] = (1 - (2 * alpha)) / (s * rest) * (gy[i, j] + (gl[i, 0] * (s - rest)));
            }
        }
    }

    // ---- classes ----

    /// <inheritdoc/>
    public void SoftmaxCrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor gradient)
    {
        Require(labels, logits.Rows, 1, "labels");
        Require(loss, logits.Rows, 1, "loss");
        Require(gradient, logits.Rows, logits.Columns, "gradient");
        var x = new View(logits);
        var label = new View(labels);
        var value = new View(loss);
        var g = new View(gradient);
        for (int i = 0; i < logits.Rows; i++)
        {
            double largest = double.NegativeInfinity, sum = 0;
            for (int j = 0; j < logits.Columns; j++)
            {
                largest = Math.Max(largest, x[i, j]);
            }

            for (int j = 0; j < logits.Columns; j++)
            {
                sum += Math.Exp(x[i, j] - largest);
            }

            int at = (int)label[i, 0];
            value[i, 0] = Math.Log(sum) + largest - x[i, at];
            for (int j = 0; j < logits.Columns; j++)
            {
                g[i, j] = (Math.Exp(x[i, j] - largest) / sum) - (j == at ? 1 : 0);
            }
        }
    }

    // The row of the pixel under a tap of the kernel at a pixel; -1 outside the picture.
    private static int Neighbour(ConvolutionShape shape, int picture, int pixel, int tap)
    {
        int row = (pixel / shape.Width) + (tap / shape.Kernel) - (shape.Kernel / 2);
        int column = (pixel % shape.Width) + (tap % shape.Kernel) - (shape.Kernel / 2);
        bool isInside = row >= 0 && row < shape.Height && column >= 0 && column < shape.Width;
        return isInside ? (picture * shape.Pixels) + (row * shape.Width) + column : -1;
    }

    private static double Length(Tensor x) => Math.Sqrt(Dot(x, x));

    private static double Dot(Tensor x, Tensor y)
    {
        var left = new View(x);
        var right = new View(y);
        double sum = 0;
        for (int i = 0; i < x.Rows; i++)
        {
            for (int j = 0; j < x.Columns; j++)
            {
                sum += left[i, j] * right[i, j];
            }
        }

        return sum;
    }

    private delegate void Move(View unsqueezed, View squeezed, (int Row, int Column) from, (int Row, int Column) to);

    private static void Rearrange(Tensor x, ImageShape shape, Tensor y, Move move)
    {
        Require(x, x.Rows, shape.Count, "x");
        Require(y, x.Rows, shape.Squeezed.Count, "y");
        var unsqueezed = new View(x);
        var squeezed = new View(y);
        for (int i = 0; i < x.Rows; i++)
        {
            for (int row = 0; row < shape.Height; row++)
            {
                for (int column = 0; column < shape.Width; column++)
                {
                    for (int c = 0; c < shape.Channels; c++)
                    {
                        int pixel = ((row / 2) * (shape.Width / 2)) + (column / 2);
                        int channel = (4 * c) + (2 * (row % 2)) + (column % 2);
                        move(
                            unsqueezed, squeezed, (i, (((row * shape.Width) + column) * shape.Channels) + c),
                            (i, (pixel * 4 * shape.Channels) + channel));
                    }
                }
            }
        }
    }

    /// <summary>A packed convolution that is a plain copy of its weight.</summary>
    private sealed class Kernel(ConvolutionShape shape, int inputs, int outputs) : PackedConvolution(shape, inputs, outputs)
    {
        public Tensor Weight { get; } =
            new(new HostBuffer<T>(checked(outputs * shape.Taps * inputs)), 0, outputs * shape.Taps, inputs, inputs);
    }
}
