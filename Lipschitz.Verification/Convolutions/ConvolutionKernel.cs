namespace Lipschitz.Verification.Convolutions;

/// <summary>Weights K [outputs, height, width, inputs] of a convolution with stride 1 and zero padding (height - 1)/2, (width - 1)/2.</summary>
/// <remarks><c>y[o, r, c] = sum over a, b, i of K[o, a, b, i] x[i, r + a - (height-1)/2, c + b - (width-1)/2]</c>.</remarks>
public sealed class ConvolutionKernel
{
    /// <summary>Takes a copy of the weights.</summary>
    /// <exception cref="ArgumentException">An even kernel, a wrong number of weights, or one that is NaN or infinite.</exception>
    public ConvolutionKernel(ReadOnlySpan<double> weights, int outputs, int height, int width, int inputs)
    {
        if (height % 2 == 0 || width % 2 == 0)
        {
            throw new ArgumentException($"A kernel {height}x{width} has no middle: only odd ones are certified.");
        }

        Dense.MatrixArgument.Throw(weights, outputs, checked(height * width * inputs));
        (Weights, Outputs, Height, Width, Inputs) = (weights.ToArray(), outputs, height, width, inputs);
    }

    /// <summary>The weights, in the order of the summary.</summary>
    public double[] Weights { get; }

    /// <summary>c_out.</summary>
    public int Outputs { get; }

    /// <summary>Rows of taps, odd.</summary>
    public int Height { get; }

    /// <summary>Columns of taps, odd.</summary>
    public int Width { get; }

    /// <summary>c_in.</summary>
    public int Inputs { get; }

    /// <summary>Takes a copy of single-precision weights.</summary>
    public static ConvolutionKernel FromSingle(ReadOnlySpan<float> weights, int outputs, int height, int width, int inputs)
    {
        var wide = new double[weights.Length];
        System.Numerics.Tensors.TensorPrimitives.ConvertTruncating(weights, wide.AsSpan());
        return new(wide, outputs, height, width, inputs);
    }

    /// <summary>The zero-padded operator as a matrix [outputs * rows * columns, inputs * rows * columns], channels slowest.</summary>
    public double[] ToMatrix(int rows, int columns)
    {
        int points = rows * columns, matrixColumns = Inputs * points;
        var matrix = new double[(long)Outputs * points * matrixColumns];
        for (int o = 0; o < Outputs; o++)
        {
            for (int a = 0; a < Height; a++)
            {
                for (int b = 0; b < Width; b++)
                {
                    int down = a - (Height / 2), right = b - (Width / 2);
                    for (int i = 0; i < Inputs; i++)
                    {
                        double weight = Weights[(((((o * Height) + a) * Width) + b) * Inputs) + i];
                        for (int r = Math.Max(0, -down); r < Math.Min(rows, rows - down); r++)
                        {
                            for (int c = Math.Max(0, -right); c < Math.Min(columns, columns - right); c++)
                            {
                                long row = (o * points) + (r * columns) + c;
                                matrix[(row * matrixColumns) + (i * points) + ((r + down) * columns) + c + right] = weight;
                            }
                        }
                    }
                }
            }
        }

        return matrix;
    }

    /// <summary>At least the square root of the sum of all squares.</summary>
    internal double FrobeniusUp() => Dense.VectorNorm.Up(Weights, 2);
}
