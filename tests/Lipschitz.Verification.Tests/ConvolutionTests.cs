using Lipschitz.Verification.Convolutions;
using Lipschitz.Verification.Dense;
using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Verification.Tests;

public class ConvolutionTests(ITestOutputHelper output)
{
    private const int LargestDecomposed = 40_000; // entries of the operator

    [Fact]
    public void Bounds_of_200_convolutions_are_above_the_explicit_operator()
    {
        double largest = 0, everySize = 0;
        int decomposed = 0;
        for (int k = 0; k < 200; k++)
        {
            var random = new Random(k);
            int[] odd = [1, 3, 5];
            int height = odd[random.Next(3)], width = k % 4 == 0 ? odd[random.Next(3)] : height;
            int rows = 4 + random.Next(k % 20 == 0 ? 13 : 6), columns = k % 3 == 0 ? 4 + random.Next(k % 20 == 0 ? 13 : 6) : rows;
            int budget = (k % 20 == 0 ? 700 : 260) / (rows * columns);
            int smaller = 1 + random.Next(Math.Max(1, budget)), larger = Math.Min(32, smaller + random.Next(4 + (28 * (k % 2))));
            (int outputs, int inputs) = k % 2 == 0 ? (smaller, larger) : (larger, smaller);
            ConvolutionKernel kernel = Draw(random, outputs, height, width, inputs, k % 5);
            ConvolutionProof proof = ConvolutionNormBound.Prove(kernel, rows, columns, 0);
            int points = rows * columns;
            double norm = SpectralNormBound.Prove(kernel.ToMatrix(rows, columns), outputs * points, inputs * points).Bound / (1 + 1e-9);
            string name = $"case {k}: {outputs}<-{inputs} {height}x{width} at {rows}x{columns}: {proof}";
            Assert.True(proof.Bound >= norm, name);
            Assert.True(ConvolutionNormBound.Check(kernel, rows, columns, proof.Grid!.Value, proof.Bound), name);
            Assert.False(ConvolutionNormBound.Check(kernel, rows, columns, proof.Grid!.Value, proof.Bound * (1 - 1e-6)), name);
            if (outputs * points * inputs * points <= LargestDecomposed)
            {
                double sigma = Operator(kernel, rows, columns).Svd(computeVectors: false).S[0];
                Assert.True(proof.Bound >= sigma * (1 - 1e-12), $"{name}, SVD {sigma:R}");
                Assert.Equal(1, norm / sigma, 2e-9);
                decomposed++;
            }

            if (height == 1 && width == 1)
            {
                Assert.True(proof.Bound <= norm * (1 + 2e-9), name);
            }

            if (k % 10 == 0)
            {
                double every = ConvolutionNormBound.ProveEverySize(kernel, 16).Bound;
                Assert.True(every >= norm, name);
                everySize = Math.Max(everySize, every / norm);
            }

            largest = Math.Max(largest, proof.Bound / norm);
        }

        output.WriteLine($"largest grid bound/norm {largest:F4}, every size {everySize:F4}, {decomposed} compared with the singular value decomposition");
        Assert.True(decomposed >= 40);
    }

    [Fact]
    public void At_16_by_16_three_by_three_kernels_are_within_two_percent()
    {
        for (int k = 0; k < 6; k++)
        {
            ConvolutionKernel kernel = Draw(new Random(k), 1 + (k % 3), 3, 3, 3 - (k % 3), k == 5 ? 1 : 0);
            double norm = SpectralNormBound.Prove(kernel.ToMatrix(16, 16), kernel.Outputs * 256, kernel.Inputs * 256).Bound;
            double bound = ConvolutionNormBound.Prove(kernel, 16, 16, 0).Bound, every = ConvolutionNormBound.ProveEverySize(kernel).Bound;
            output.WriteLine($"{k}: {bound / norm:F5}, every size {every / norm:F5}");
            Assert.InRange(bound / norm, 1 - 1e-9, 1.02);
        }
    }

    [Fact]
    public void The_periodic_norm_of_the_Laplacian_at_7_is_no_bound_and_ours_is()
    {
        ConvolutionKernel laplacian = new([0, -1, 0, -1, 4, -1, 0, -1, 0], 1, 3, 3, 1);
        double periodic = 0; // the norm of the 7x7 circular convolution: 4 - 2 cos - 2 cos
        for (int j = 0; j < 7; j++)
        {
            periodic = Math.Max(periodic, 4 - (4 * Math.Cos(2 * Math.PI * j / 7)));
        }

        double truth = 4 + (4 * Math.Cos(Math.PI / 8)); // eigenvalues of the zero-padded Laplacian
        Assert.Equal(7.604, periodic, 1e-3);
        Assert.Equal(7.6955, truth, 1e-4);
        ConvolutionProof grid = ConvolutionNormBound.Prove(laplacian, 7, 7, 0), explicitly = ConvolutionNormBound.Prove(laplacian, 7, 7);
        Assert.InRange(explicitly.Bound, truth - 1e-14, truth * (1 + 1e-9));
        Assert.InRange(grid.Bound, truth - 1e-14, truth * (1 + 1e-8)); // the embedding is exact for it
        Assert.InRange(ConvolutionNormBound.ProveEverySize(laplacian).Bound, 8 - 1e-14, 8 * 1.01);
        Assert.Throws<ArgumentException>(() => ConvolutionNormBound.Check(laplacian, 7, 7, new(7, 7, 0, 0), 7.61));
        Assert.Throws<ArgumentException>(() => ConvolutionNormBound.Check(laplacian, 7, 7, new(0, 0, 0, 0), 7.61));
        Assert.Throws<ArgumentException>(() => ConvolutionNormBound.Check(laplacian, 7, 7, new(8, 8, 0, 5), 7.61));
    }

    [Fact]
    public void Zero_even_and_unreal_kernels_are_told_apart()
    {
        Assert.Equal(0, ConvolutionNormBound.Prove(new(new double[18], 2, 3, 3, 1), 9, 9).Bound);
        Assert.Throws<ArgumentException>(() => new ConvolutionKernel(new double[4], 1, 2, 2, 1));
        Assert.Throws<ArgumentException>(() => new ConvolutionKernel([double.NaN], 1, 1, 1, 1));
        ConvolutionKernel tiny = new([.. Enumerable.Range(1, 9).Select(i => i * 1e-312)], 1, 3, 3, 1);
        Assert.InRange(ConvolutionNormBound.Prove(tiny, 30, 30, 0).Bound, 40e-312, 46e-312);
    }

    // By the definition of the convolution, output by output; shares nothing with ConvolutionKernel.ToMatrix and the proofs.
    private static Matrix<double> Operator(ConvolutionKernel kernel, int rows, int columns)
    {
        int height = kernel.Height, width = kernel.Width, points = rows * columns;
        Matrix<double> matrix = Matrix<double>.Build.Dense(kernel.Outputs * points, kernel.Inputs * points);
        for (int y = 0; y < matrix.RowCount; y++)
        {
            for (int x = 0; x < matrix.ColumnCount; x++)
            {
                int a = (x % points / columns) - (y % points / columns) + ((height - 1) / 2);
                int b = (x % columns) - (y % columns) + ((width - 1) / 2);
                if (a >= 0 && a < height && b >= 0 && b < width)
                {
                    matrix[y, x] = kernel.Weights[(((((y / points * height) + a) * width) + b) * kernel.Inputs) + (x / points)];
                }
            }
        }

        return matrix;
    }

    // Kinds: white noise, low-pass, single precision, nearly one tap, very uneven channels.
    private static ConvolutionKernel Draw(Random random, int outputs, int height, int width, int inputs, int kind)
    {
        var weights = new double[outputs * height * width * inputs];
        for (int i = 0; i < weights.Length; i++)
        {
            int tap = i / inputs % (height * width);
            double x = random.NextDouble() - (kind == 1 ? 0 : 0.5);
            weights[i] = kind switch
            {
                2 => (float)(x * 1e-3),
                3 => x * (tap == height * width / 2 ? 1 : 1e-3),
                4 => x * Math.Pow(10, -(i % inputs)),
                _ => x,
            };
        }

        return new(weights, outputs, height, width, inputs);
    }
}
