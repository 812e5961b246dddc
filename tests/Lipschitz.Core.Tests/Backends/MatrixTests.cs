using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Backends;

/// <summary>Small Jacobians.</summary>
public class MatrixTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Images_of_a_completed_basis_give_the_Jacobian_back(int d)
    {
        var random = new Random(d);
        const int Samples = 4;
        double[] jacobians = Normal(random, Samples * d * d);
        Tensor tangents = NaNs(d * Samples, d);
        Backend.CompleteBasis(Tensor(Samples, d, Normal(random, Samples * d)), tangents);
        double[] images = new double[d * Samples * d];
        for (int row = 0; row < d * Samples; row++)
        {
            double[] image = Times(jacobians[(row % Samples * d * d)..(((row % Samples) + 1) * d * d)], tangents.RowRange(row, 1).Read());
            image.CopyTo(images, row * d);
        }

        Tensor solved = NaNs(Samples, d * d);
        Backend.SolveJacobians(tangents, Tensor(d * Samples, d, images), solved);
        Close(jacobians, solved.Read(), 1e-11);
    }

    [Fact]
    public void A_basis_is_completed_by_the_unit_vectors_but_the_one_along_the_largest_component()
    {
        Tensor tangents = NaNs(6, 3);
        Backend.CompleteBasis(Tensor(2, 3, 1, -5, 2, -1, 1, 1), tangents);
        Assert.Equal([1, -5, 2, -1, 1, 1, /* 1 */ 1, 0, 0, 0, 1, 0, /* 2 */ 0, 0, 1, 0, 0, 1], tangents.Read());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void The_exact_log_determinant_is_that_of_cofactors(int d)
    {
        const int Samples = 20;
        double[] jacobians = Normal(new Random(10 + d), Samples * d * d);
        (double[] logDet, _) = LogDet(jacobians, Samples, d);
        int positive = 0;
        for (int i = 0; i < Samples; i++)
        {
            double determinant = Cofactors(PlusIdentity(jacobians[(i * d * d)..((i + 1) * d * d)], d), d);
            positive += determinant > 0 ? 1 : 0;
            if (determinant > 0)
            {
                Close(Math.Log(determinant), logDet[i], 1e-10);
            }
            else
            {
                Assert.True(double.IsNaN(logDet[i]));
            }
        }

        Assert.InRange(positive, 2, Samples - 2); // both cases were met
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void The_cotangents_are_the_derivative_of_the_log_determinant(int d)
    {
        double[] jacobian = [.. Normal(new Random(20 + d), d * d).Select(x => 0.3 * x)];
        (_, double[] cotangents) = LogDet(jacobian, 1, d);
        double[] expected = Gradient(j => Math.Log(Cofactors(PlusIdentity(j, d), d)), jacobian);

        // The derivative along dJ is sum_k cotangent_k . (column k of dJ).
        double[] byElement = [.. from r in Enumerable.Range(0, d) from k in Enumerable.Range(0, d) select cotangents[(k * d) + r]];
        CloseToDifferences(expected, byElement);
    }

    [Fact]
    public void A_singular_matrix_has_no_log_determinant() => Assert.True(double.IsNaN(LogDet([-1, 0, 0, 0], 1, 2).LogDet[0]));

    [Fact]
    public void A_zero_pivot_is_no_obstacle() // I + J = [0 1; -1 0]
    {
        (double[] logDet, double[] cotangents) = LogDet([-1, 1, -1, -1], 1, 2);
        Assert.Equal(0, logDet[0]);
        Assert.Equal([0, -1, 1, 0], cotangents); // rows of the inverse
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(6)]
    public void The_series_equals_a_sum_of_matrix_powers(int terms)
    {
        var random = new Random(30);
        const int D = 3;
        double[] jacobian = Normal(random, D * D);
        double[] probe = Normal(random, D);
        double[] values = Normal(random, terms);
        double[] cotangents = Normal(random, terms);
        Tensor logDet = NaNs(2, 1);
        Tensor cotangent = NaNs(2, D);
        Backend.SeriesLogDet(
            Tensor(2, D * D, [.. new double[D * D], .. jacobian]), Tensor(2, D, [.. probe, .. probe]), values, cotangents, logDet, cotangent);
        double expected = 0;
        double[] sum = [.. probe];
        double[] power = PlusIdentity(new double[D * D], D);
        for (int k = 0; k < terms; k++)
        {
            power = Product(power, jacobian, D);
            double[] u = Times(Transposed(power, D), probe);
            expected += values[k] * Dot(probe, u);
            sum = [.. sum.Zip(u, (s, x) => s + (cotangents[k] * x))];
        }

        Close([0, expected], logDet.Read());
        Close([.. probe, .. sum], cotangent.Read());
    }

    [Fact]
    public void A_long_series_of_a_small_matrix_traced_over_unit_probes_tends_to_the_exact_log_determinant()
    {
        const int D = 3;
        double[] jacobian = [.. Normal(new Random(31), D * D).Select(x => 0.1 * x)];
        double[] values = [.. Enumerable.Range(1, 60).Select(k => (k % 2 == 1 ? 1.0 : -1.0) / k)];
        double trace = 0;
        for (int k = 0; k < D; k++)
        {
            Tensor logDet = NaNs(1, 1);
            double[] unit = [.. Enumerable.Range(0, D).Select(j => j == k ? 1.0 : 0.0)];
            Backend.SeriesLogDet(Tensor(1, D * D, jacobian), Tensor(1, D, unit), values, values, logDet, NaNs(1, D));
            trace += logDet.Read()[0];
        }

        Close(LogDet(jacobian, 1, D).LogDet[0], trace);
    }

    private static (double[] LogDet, double[] Cotangents) LogDet(double[] jacobians, int samples, int d)
    {
        Tensor logDet = NaNs(samples, 1);
        Tensor cotangents = NaNs(d * samples, d);
        Backend.ExactLogDet(Tensor(samples, d * d, jacobians), logDet, cotangents);
        return (logDet.Read(), cotangents.Read());
    }

    private static double[] PlusIdentity(double[] a, int d) => [.. a.Select((x, i) => x + (i / d == i % d ? 1 : 0))];

    private static double[] Times(double[] a, double[] x) =>
        [.. Enumerable.Range(0, x.Length).Select(r => Dot(a[(r * x.Length)..((r + 1) * x.Length)], x))];

    private static double[] Transposed(double[] a, int d) => [.. Enumerable.Range(0, d * d).Select(i => a[(i % d * d) + (i / d)])];

    private static double[] Product(double[] a, double[] b, int d) =>
        [.. Enumerable.Range(0, d * d).Select(i => Enumerable.Range(0, d).Sum(k => a[(i / d * d) + k] * b[(k * d) + (i % d)]))];

    /// <summary>The determinant by expansion along the first row.</summary>
    private static double Cofactors(double[] a, int d)
    {
        if (d == 0)
        {
            return 1;
        }

        double sum = 0;
        for (int column = 0; column < d; column++)
        {
            double[] minor = [.. a.Where((_, i) => i / d > 0 && i % d != column)];
            sum += (column % 2 == 0 ? 1 : -1) * a[column] * Cofactors(minor, d - 1);
        }

        return sum;
    }
}
