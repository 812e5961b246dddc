using System.Numerics.Tensors;
using Lipschitz.Backends;

namespace Lipschitz.Layers;

/// <summary>Upper bounds of the norm of a convolution as an operator on pictures of one size, zeros around them.</summary>
/// <remarks>
/// <para>
/// p = 2: on a circle of <c>H + kernel/2</c> by <c>W + kernel/2</c> points no output inside the picture reads a number that came round the circle, so the operator
/// is a part of the circular one, whose norm is the largest <c>|A(theta)|_2</c> over the frequencies of that grid, with the symbol
/// <c>A(theta) = sum_taps K_tap e^(i theta . tap)</c> [outputs, inputs]. What comes round may be multiplied by any phase, too, which shifts the grid by as much: on
/// small pictures the least of four bounds is taken, with and without half a step each way, since kernels that sum are largest at frequency 0, which a picture
/// in zeros does not have. Measured 1 to 6 % above the norm with zero padding from 8 x 8 pixels on. Where the
/// operator is small it is written out as a matrix, whose norm is the norm.
/// </para>
/// <para>p = 1 and infinity: the largest sums of magnitudes over an input or output channel. Between: Riesz-Thorin, as in <see cref="InducedNorm"/>.</para>
/// </remarks>
public static class ConvolutionNorm
{
    private const double Margin = 1.001; // of the square: the bound is at most half of it above the largest symbol
    private const int Iterations = 60;
    private const int LargestMatrix = 80; // its smaller side
    private const int ShiftedPixels = 14 * 14; // on more pixels the grid is fine enough

    /// <summary>An upper bound of the p-norm of the convolution, in double without directed rounding.</summary>
    /// <param name="weight">Weights [outputs taps, inputs], row by row.</param>
    /// <param name="shape">Pixels and kernel.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="p">The norm on both sides, 1 to positive infinity.</param>
    public static double Bound(ReadOnlySpan<double> weight, ConvolutionShape shape, int outputs, int inputs, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        if (shape.Kernel == 1)
        {
            return InducedNorm.Bound(weight, outputs, inputs, p);
        }

        double end = p < 2 ? LargestSum(weight, shape.Taps, outputs, inputs, ofInputs: true) : LargestSum(weight, shape.Taps, outputs, inputs, ofInputs: false);
        if (p == 1 || double.IsPositiveInfinity(p))
        {
            return end;
        }

        double two = shape.Pixels * Math.Min(outputs, inputs) <= LargestMatrix
            ? InducedNorm.SpectralBound(Operator(weight, shape, outputs, inputs), shape.Pixels * outputs, shape.Pixels * inputs)
            : SpectralBound(weight, shape, outputs, inputs);
        double atTwo = p < 2 ? 2 - (2 / p) : 2 / p; // the weight of the 2-norm
        return p == 2 ? two : Math.Pow(two, atTwo) * Math.Pow(end, 1 - atTwo);
    }

    private static double LargestSum(ReadOnlySpan<double> weight, int taps, int outputs, int inputs, bool ofInputs)
    {
        var sums = new double[ofInputs ? inputs : outputs];
        for (int row = 0; row < outputs * taps; row++)
        {
            for (int c = 0; c < inputs; c++)
            {
                sums[ofInputs ? c : row / taps] += Math.Abs(weight[(row * inputs) + c]);
            }
        }

        return sums.Length == 0 ? 0 : sums.Max();
    }

    // The matrix [pixels outputs, pixels inputs] that the convolution is.
    private static double[] Operator(ReadOnlySpan<double> weight, ConvolutionShape shape, int outputs, int inputs)
    {
        int columns = shape.Pixels * inputs, reach = shape.Kernel / 2;
        var matrix = new double[shape.Pixels * outputs * columns];
        for (int pixel = 0; pixel < shape.Pixels; pixel++)
        {
            for (int tap = 0; tap < shape.Taps; tap++)
            {
                int y = (pixel / shape.Width) + (tap / shape.Kernel) - reach, x = (pixel % shape.Width) + (tap % shape.Kernel) - reach;
                if (y < 0 || y >= shape.Height || x < 0 || x >= shape.Width)
                {
                    continue;
                }

                for (int o = 0; o < outputs; o++)
                {
                    int row = (pixel * outputs) + o, column = ((y * shape.Width) + x) * inputs;
                    weight.Slice(((o * shape.Taps) + tap) * inputs, inputs).CopyTo(matrix.AsSpan((row * columns) + column, inputs));
                }
            }
        }

        return matrix;
    }

    private static double SpectralBound(ReadOnlySpan<double> weight, ConvolutionShape shape, int outputs, int inputs)
    {
        double[] taps = ByTap(weight, shape.Taps, outputs, inputs);
        var gram = new HermitianGram(Math.Min(outputs, inputs), Math.Max(outputs, inputs));
        double least = LargestSymbol(gram, taps, shape, 0, 0);
        for (int shift = 1; shift < 4 && shape.Pixels <= ShiftedPixels; shift++)
        {
            least = Math.Min(least, LargestSymbol(gram, taps, shape, shift / 2, shift % 2));
        }

        return least;
    }

    // On the grid shifted by half a step downwards (1) or not (0), and to the right.
    private static double LargestSymbol(HermitianGram gram, double[] taps, ConvolutionShape shape, int down, int right)
    {
        int height = shape.Height + (shape.Kernel / 2), width = shape.Width + (shape.Kernel / 2);
        double square = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                // A(-theta) is the conjugate of A(theta): one of each pair is enough.
                int opposite = ((height - y - down + height) % height * width) + ((width - x - right + width) % width);
                if ((y * width) + x > opposite)
                {
                    continue;
                }

                gram.Evaluate(taps, shape.Kernel, Math.PI * ((2 * y) + down) / height, Math.PI * ((2 * x) + right) / width);
                while (gram.Trace() != 0 && !gram.IsBelow(square))
                {
                    square = Math.Max(square, gram.LargestEigenvalue(Iterations)) * Margin;
                    if (!double.IsFinite(square))
                    {
                        return square;
                    }
                }
            }
        }

        return Math.Sqrt(square);
    }

    // [taps, smaller side, larger side]: rows of the symbol whose products are its Gram matrix.
    private static double[] ByTap(ReadOnlySpan<double> weight, int taps, int outputs, int inputs)
    {
        bool byOutput = outputs <= inputs;
        int rows = byOutput ? outputs : inputs, columns = byOutput ? inputs : outputs;
        var result = new double[weight.Length];
        for (int o = 0; o < outputs; o++)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                for (int c = 0; c < inputs; c++)
                {
                    (int row, int column) = byOutput ? (o, c) : (c, o);
                    result[(((tap * rows) + row) * columns) + column] = weight[(((o * taps) + tap) * inputs) + c];
                }
            }
        }

        return result;
    }

    /// <summary>The Hermitian matrix A A* of a symbol A at one frequency, as rows of real and imaginary parts.</summary>
    private sealed class HermitianGram(int size, int length)
    {
        private readonly double[] _real = new double[size * length];
        private readonly double[] _imaginary = new double[size * length];
        private readonly double[] _gramReal = new double[size * size];
        private readonly double[] _gramImaginary = new double[size * size];
        private readonly double[] _factorReal = new double[size * size];
        private readonly double[] _factorImaginary = new double[size * size];

        public void Evaluate(double[] taps, int kernel, double thetaY, double thetaX)
        {
            Array.Clear(_real);
            Array.Clear(_imaginary);
            for (int tap = 0; tap < kernel * kernel; tap++)
            {
                (double sin, double cos) = Math.SinCos((thetaY * ((tap / kernel) - (kernel / 2))) + (thetaX * ((tap % kernel) - (kernel / 2))));
                ReadOnlySpan<double> values = taps.AsSpan(tap * size * length, size * length);
                TensorPrimitives.MultiplyAdd(values, cos, _real, _real);
                TensorPrimitives.MultiplyAdd(values, sin, _imaginary, _imaginary);
            }

            for (int i = 0; i < size; i++)
            {
                for (int j = 0; j <= i; j++)
                {
                    (_gramReal[(i * size) + j], _gramImaginary[(i * size) + j]) =
                        Product(_real, _imaginary, length, i, j, length);
                }
            }
        }

        public double Trace()
        {
            double sum = 0;
            for (int i = 0; i < size; i++)
            {
                sum += _gramReal[(i * size) + i];
            }

            return sum;
        }

        // Whether square I - A A* is positive definite: Cholesky runs to its end.
        public bool IsBelow(double square)
        {
            for (int i = 0; i < size; i++)
            {
                for (int j = 0; j <= i; j++)
                {
                    (double real, double imaginary) = Product(_factorReal, _factorImaginary, size, i, j, j);
                    int at = (i * size) + j;
                    double restReal = -_gramReal[at] - real, restImaginary = -_gramImaginary[at] - imaginary;
                    if (i > j)
                    {
                        double pivot = _factorReal[(j * size) + j];
                        (_factorReal[at], _factorImaginary[at]) = (restReal / pivot, restImaginary / pivot);
                        continue;
                    }

                    if (!(square + restReal > 0))
                    {
                        return false;
                    }

                    (_factorReal[at], _factorImaginary[at]) = (Math.Sqrt(square + restReal), 0);
                }
            }

            return true;
        }

        // An estimate from below, by power iteration.
        public double LargestEigenvalue(int iterations)
        {
            var vector = new (double Real, double Imaginary)[size];
            var next = new (double Real, double Imaginary)[size];
            for (int i = 0; i < size; i++)
            {
                vector[i] = (1 + (i % 7), i % 3);
            }

            double norm = 0;
            for (int k = 0; k < iterations; k++)
            {
                double squares = 0;
                for (int i = 0; i < size; i++)
                {
                    double real = 0, imaginary = 0;
                    for (int j = 0; j < size; j++)
                    {
                        // Above the diagonal: the conjugate.
                        double sign = j <= i ? 1 : -1;
                        int at = j <= i ? (i * size) + j : (j * size) + i;
                        (double a, double b) = (_gramReal[at], sign * _gramImaginary[at]);
                        real += (a * vector[j].Real) - (b * vector[j].Imaginary);
                        imaginary += (a * vector[j].Imaginary) + (b * vector[j].Real);
                    }

                    next[i] = (real, imaginary);
                    squares += (real * real) + (imaginary * imaginary);
                }

                norm = Math.Sqrt(squares);
                if (norm == 0)
                {
                    return Trace(); // the first vector met the kernel: the trace will do
                }

                for (int i = 0; i < size; i++)
                {
                    vector[i] = (next[i].Real / norm, next[i].Imaginary / norm);
                }
            }

            return norm;
        }

        // sum_k x_ik conj(x_jk) over the first `count` entries of rows i and j.
        private static (double Real, double Imaginary) Product(double[] real, double[] imaginary, int stride, int i, int j, int count)
        {
            ReadOnlySpan<double> a = real.AsSpan(i * stride, count), b = imaginary.AsSpan(i * stride, count);
            ReadOnlySpan<double> c = real.AsSpan(j * stride, count), d = imaginary.AsSpan(j * stride, count);
            return (
                TensorPrimitives.Dot(a, c) + TensorPrimitives.Dot(b, d), TensorPrimitives.Dot(b, c) - TensorPrimitives.Dot(a, d));
        }
    }
}
