using FsCheck;
using FsCheck.Fluent;
using Lipschitz.Layers;
using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Properties;

/// <summary>Induced norms |W|_{p to q} and upper bounds of them against the definition and the singular values.</summary>
public class InducedNormProperties
{
    private static Gen<(int Rows, int Columns, double Scale, int Seed)> Matrices =>
        from rows in Gen.Choose(1, 9)
        from columns in Gen.Choose(1, 9)
        from exponent in Gen.Elements(0, 0, 0, -40, 38)
        from seed in Property.Seed
        select (rows, columns, Math.Pow(10, exponent), seed);

    [Fact]
    public void Closed_forms_are_never_exceeded_and_attained_by_their_dual_pair() => Property.Holds(
        from m in Matrices
        from exponent in Property.Exponent
        from first in Gen.Elements(true, false)
        select (M: m, P: first ? 1 : exponent, Q: first ? exponent : double.PositiveInfinity),
        c =>
        {
            var random = new Random(c.M.Seed);
            double[] w = Draw(random, c.M);
            double[] u = new double[c.M.Rows], v = new double[c.M.Columns];
            double norm = InducedNorm.Exact(w, c.M.Rows, c.M.Columns, c.P, c.Q, u, v);
            for (int i = 0; i < 20; i++)
            {
                double[] x = Vectors.Draw(random, c.M.Columns);
                Property.AtMost(Vectors.Norm(Vectors.Multiply(w, x), c.Q), norm * (1 + 1e-12) * Vectors.Norm(x, c.P), "stretch");
            }

            if (norm > 0)
            {
                Property.AtMost(Math.Abs(Vectors.Norm(v, c.P) - 1), 1e-12, "norm of v off 1 by");
                Property.AtMost(Math.Abs(Vectors.Norm(u, Vectors.Conjugate(c.Q)) - 1), 1e-12, "dual norm of u off 1 by");
                Property.AtMost(Math.Abs(Vectors.Dot(u, Vectors.Multiply(w, v)) - norm), 1e-12 * norm, "u'Wv off the norm by");
                Property.AtMost(norm * (1 - 1e-12), Vectors.Norm(Vectors.Multiply(w, v), c.Q), "attained");
            }
        },
        500);

    [Fact]
    public void Bounds_in_the_p_norm_hold_against_the_power_method() => Property.Holds(
        from m in Matrices
        from p in Property.Exponent
        select (M: m, P: p),
        c =>
        {
            var random = new Random(c.M.Seed);
            double[] w = Draw(random, c.M);
            double bound = InducedNorm.Bound(w, c.M.Rows, c.M.Columns, c.P), largest = 0;
            for (int start = 0; start < 5; start++)
            {
                double[] x = Vectors.Draw(random, c.M.Columns);
                for (int i = 0; i < 40 && Vectors.Norm(x, c.P) > 0; i++)
                {
                    double[] y = Vectors.Multiply(w, x);
                    largest = Math.Max(largest, Vectors.Norm(y, c.P) / Vectors.Norm(x, c.P));
                    x = Vectors.Dual(Vectors.MultiplyTransposed(w, Vectors.Dual(y, c.P)), Vectors.Conjugate(c.P));
                }
            }

            Property.AtMost(largest, bound * (1 + 1e-9), "stretch");
            Property.AtMost(bound, 9 * largest, "the bound is of no use");
        });

    [Fact]
    public void The_spectral_bound_is_above_the_largest_singular_value_by_less_than_a_thousandth() => Property.Holds(
        Matrices,
        c =>
        {
            double[] w = Draw(new Random(c.Seed), c);
            double bound = InducedNorm.SpectralBound(w, c.Rows, c.Columns);

            // Scaled to size 1, since the decomposition loses very small and very large numbers.
            double truth = Matrix<double>.Build.Dense(c.Rows, c.Columns, (i, j) => w[(i * c.Columns) + j] / c.Scale).L2Norm() * c.Scale;
            Property.AtMost(truth * (1 - 1e-12), bound, "bound below the truth");
            Property.AtMost(bound, truth * 1.001, "bound too far above");
            double end = InducedNorm.Bound(w, c.Rows, c.Columns, 2);
            Assert.Equal(bound, end);
        },
        500);

    [Theory]
    [InlineData(2, 1)]
    [InlineData(double.PositiveInfinity, 1)]
    [InlineData(double.PositiveInfinity, 2)]
    [InlineData(3, 3)]
    [InlineData(0.5, double.PositiveInfinity)]
    [InlineData(1, 0.5)]
    public void Pairs_without_a_closed_form_are_refused(double p, double q)
    {
        Assert.False(InducedNorm.HasClosedForm(p, q));
        Assert.Throws<NotSupportedException>(() => Normalisation.Induced(p, q, 1));
    }

    [Fact]
    public void A_zero_matrix_has_norm_zero_and_a_pair_of_zeros_or_units()
    {
        double[] u = new double[3], v = new double[2];
        Assert.Equal(0, InducedNorm.Exact(new double[6], 3, 2, 1, 2, u, v));
        Assert.Equal(0, InducedNorm.SpectralBound(new double[6], 3, 2));
        Assert.Equal(0, InducedNorm.Bound(new double[6], 3, 2, 1.5));
        Assert.All([.. u, .. v], value => Assert.True(double.IsFinite(value)));
    }

    // Random, of low rank, or nearly orthogonal.
    private static double[] Draw(Random random, (int Rows, int Columns, double Scale, int Seed) c)
    {
        double[] w = Vectors.Draw(random, c.Rows * c.Columns);
        if (random.Next(4) == 0)
        {
            double[] left = Vectors.Draw(random, c.Rows), right = Vectors.Draw(random, c.Columns);
            w = [.. left.SelectMany(a => right.Select(b => a * b))];
        }

        return [.. w.Select(value => value * c.Scale)];
    }
}
