using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Backends;

public class WeightTests
{
    [Theory]
    [InlineData(4, 6)]
    [InlineData(6, 4)]
    [InlineData(1, 5)]
    [InlineData(5, 1)]
    public void Power_iteration_finds_the_largest_singular_value(int m, int n)
    {
        var random = new Random(m);
        double[] singular = [.. Enumerable.Range(0, Math.Min(m, n)).Select(i => 3.0 / (i + 1))];
        (double[] w, double[] left, double[] right) = WithSingularValues(random, m, n, singular);
        Tensor u = Tensor(1, m, Normal(random, m));
        Tensor v = Tensor(1, n, Normal(random, n));
        Tensor sigma = NaNs(1, 1);
        Backend.PowerIterate(Tensor(m, n, w), 80, 0, u, v, sigma);
        Close(3, sigma.Read()[0]);
        Close(1, Math.Abs(Dot(left, u.Read())));
        Close(1, Math.Abs(Dot(right, v.Read())));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1e-9)]
    public void Power_iteration_stops_once_the_estimate_moves_less_than_the_tolerance_times_itself(double scale)
    {
        var random = new Random(2);
        (double[] w, _, _) = WithSingularValues(random, 5, 5, [2 * scale, scale, 0.5 * scale, 0.2 * scale, 0.1 * scale]);
        double[] left = Normal(random, 5), right = Normal(random, 5);
        (double Sigma, double[] V) After(int iterations, double tolerance)
        {
            Tensor v = Tensor(1, 5, right), norm = NaNs(1, 1);
            Backend.PowerIterate(Tensor(5, 5, w), iterations, tolerance, Tensor(1, 5, left), v, norm);
            return (norm.Read()[0], v.Read());
        }

        int settled = 2;
        while (Math.Abs(After(settled, 0).Sigma - After(settled - 1, 0).Sigma) > 1e-6 * After(settled, 0).Sigma)
        {
            settled++;
        }

        Assert.InRange(settled, 3, 40);
        (double sigma, double[] vector) = After(1000, 1e-6);
        Assert.Equal(After(settled, 0).V, vector);
        Close(2, sigma / scale, 1e-5);
        Assert.True(sigma / scale <= 2 * (1 + 1e-14)); // from below
    }

    [Fact]
    public void Power_iteration_with_no_iterations_writes_sigma_alone()
    {
        Tensor u = Tensor(1, 2, 1, 2);
        Tensor v = Tensor(1, 3, 1, 0, 1);
        Tensor sigma = NaNs(1, 1);
        Backend.PowerIterate(Tensor(2, 3, 1, 2, 3, 4, 5, 6), 0, 0, u, v, sigma);
        Assert.Equal([24], sigma.Read()); // 1 (1 + 3) + 2 (4 + 6)
        Assert.Equal([1, 2], u.Read());
        Assert.Equal([1, 0, 1], v.Read());
    }

    [Fact]
    public void Power_iteration_of_zero_gives_zero_and_leaves_the_vectors()
    {
        Tensor u = Tensor(1, 2, 0.6, 0.8);
        Tensor v = Tensor(1, 3, 1, 0, 0);
        Tensor sigma = NaNs(1, 1);
        Backend.PowerIterate(Tensor(2, 3, new double[6]), 5, 0, u, v, sigma);
        Assert.Equal([0], sigma.Read());
        Assert.Equal([0.6, 0.8], u.Read());
        Assert.Equal([1, 0, 0], v.Read());
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(100)]
    public void The_weight_gradient_equals_central_differences_at_constant_singular_vectors(double coefficient)
    {
        var random = new Random(3);
        const int M = 3;
        const int N = 4;
        double[] w = Normal(random, M * N);
        double[] scale = Normal(random, N);
        double[] gradient = Normal(random, M * N);
        Tensor u = Tensor(1, M, Normal(random, M));
        Tensor v = Tensor(1, N, Normal(random, N));
        Tensor sigma = NaNs(1, 1);
        Backend.PowerIterate(Tensor(M, N, w), 20, 0, u, v, sigma);
        Tensor weightGradient = Tensor(M, N, gradient);
        Tensor columnGradient = NaNs(1, N);
        Backend.NormaliseWeightBackward(Tensor(M, N, w), u, v, sigma, coefficient, Tensor(1, N, scale), weightGradient, columnGradient);
        double Loss(double[] weight, double[] columns)
        {
            Tensor norm = NaNs(1, 1);
            Backend.PowerIterate(Tensor(M, N, weight), 0, 0, u, v, norm);
            Tensor effective = NaNs(M, N);
            Backend.NormaliseWeight(Tensor(M, N, weight), norm, coefficient, Tensor(1, N, columns), effective);
            return Dot(gradient, effective.Read());
        }

        CloseToDifferences(Gradient(x => Loss(x, scale), w), weightGradient.Read());
        CloseToDifferences(Gradient(x => Loss(w, x), scale), columnGradient.Read());
    }

    [Fact]
    public void A_normalised_weight_has_the_coefficient_as_its_norm_and_a_small_one_is_left_alone()
    {
        Tensor effective = NaNs(2, 2);
        Backend.NormaliseWeight(Tensor(2, 2, 3, 0, 0, 4), Tensor(1, 1, 4), 0.5, Tensor(1, 2, 1, 10), effective);
        Assert.Equal([0.375, 0, 0, 5], effective.Read());
        Backend.NormaliseWeight(Tensor(2, 2, 3, 0, 0, 4), Tensor(1, 1, 4), 5, Tensor(1, 2, 1, 10), effective);
        Assert.Equal([3, 0, 0, 40], effective.Read());
        Backend.NormaliseWeight(Tensor(2, 2, new double[4]), Tensor(1, 1, 0), 0.5, Tensor(1, 2, 1, 10), effective);
        Assert.Equal([0, 0, 0, 0], effective.Read());
    }

    [Fact]
    public void Concatenation_scales_are_products_of_the_layers_factors()
    {
        const double Bound = 0.98;
        double[] raw = [0.2, -1, 3, 0.5];
        Tensor scales = NaNs(3, 6);
        Backend.ConcatenationScales(Tensor(2, 2, raw), Bound, [2, 3, 1], scales);
        double[] h = [.. raw.Select(k => Math.Log(1 + Math.Exp(k)) + 0.1)];
        double e11 = Bound * h[0] / Math.Sqrt((h[0] * h[0]) + (h[1] * h[1]));
        double e12 = Bound * h[1] / Math.Sqrt((h[0] * h[0]) + (h[1] * h[1]));
        double e21 = Bound * h[2] / Math.Sqrt((h[2] * h[2]) + (h[3] * h[3]));
        double e22 = Bound * h[3] / Math.Sqrt((h[2] * h[2]) + (h[3] * h[3]));
        double[] expected =
        [
            1, 1, 0, 0, 0, 0,
            e11, e11, e12, e12, e12, 0,
            e11 * e21, e11 * e21, e12 * e21, e12 * e21, e12 * e21, e22,
        ];
        Close(expected, scales.Read());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void The_concatenation_gradient_equals_central_differences(int depth)
    {
        var random = new Random(4);
        int[] widths = [.. Enumerable.Range(0, depth + 1).Select(i => 1 + (i * 2 % 3))];
        double[] raw = Normal(random, 2 * depth);
        double[] gradient = Normal(random, (depth + 1) * widths.Sum());
        Tensor rawGradient = Tensor(depth, 2, [.. raw.Select(_ => 5.0)]);
        Backend.ConcatenationScalesBackward(
            Tensor(depth, 2, raw), 0.9, widths, Tensor(depth + 1, widths.Sum(), gradient), rawGradient);
        double Loss(double[] k)
        {
            Tensor scales = NaNs(depth + 1, widths.Sum());
            Backend.ConcatenationScales(Tensor(depth, 2, k), 0.9, widths, scales);
            return Dot(gradient, scales.Read());
        }

        CloseToDifferences(Gradient(Loss, raw), [.. rawGradient.Read().Select(g => g - 5)]);
    }

    /// <summary>
    /// w = U diag(singular) V' with U and V products of random plane rotations, and the first columns of U and V.
    /// </summary>
    private static (double[] W, double[] Left, double[] Right) WithSingularValues(Random random, int m, int n, double[] singular)
    {
        double[,] w = new double[m, n];
        double[,] left = new double[m, m];
        double[,] right = new double[n, n];
        for (int i = 0; i < singular.Length; i++)
        {
            w[i, i] = singular[i];
        }

        for (int i = 0; i < m; i++)
        {
            left[i, i] = 1;
        }

        for (int i = 0; i < n; i++)
        {
            right[i, i] = 1;
        }

        for (int turn = 0; turn < 40; turn++)
        {
            double angle = 7 * random.NextDouble();
            (int i, int j) = (random.Next(m), random.Next(m));
            if (i != j)
            {
                RotateRows(w, i, j, angle);
                RotateRows(left, i, j, angle);
            }

            (i, j) = (random.Next(n), random.Next(n));
            if (i != j)
            {
                RotateColumns(w, i, j, angle);
                RotateRows(right, i, j, angle);
            }
        }

        return (
            [.. w.Cast<double>()],
            [.. Enumerable.Range(0, m).Select(i => left[i, 0])],
            [.. Enumerable.Range(0, n).Select(i => right[i, 0])]);
    }

    private static void RotateRows(double[,] a, int i, int j, double angle)
    {
        for (int k = 0; k < a.GetLength(1); k++)
        {
            (a[i, k], a[j, k]) = (
                (Math.Cos(angle) * a[i, k]) - (Math.Sin(angle) * a[j, k]), (Math.Sin(angle) * a[i, k]) + (Math.Cos(angle) * a[j, k]));
        }
    }

    private static void RotateColumns(double[,] a, int i, int j, double angle)
    {
        for (int k = 0; k < a.GetLength(0); k++)
        {
            (a[k, i], a[k, j]) = (
                (Math.Cos(angle) * a[k, i]) - (Math.Sin(angle) * a[k, j]), (Math.Sin(angle) * a[k, i]) + (Math.Cos(angle) * a[k, j]));
        }
    }
}
