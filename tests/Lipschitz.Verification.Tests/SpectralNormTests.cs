using Lipschitz.Verification.Dense;
using MathNet.Numerics.LinearAlgebra;

namespace Lipschitz.Verification.Tests;

public class SpectralNormTests(ITestOutputHelper output)
{
    private const int ExactSize = 14; // integers up to here, double-double above

    [Fact]
    public void Bounds_of_500_matrices_hold_and_are_tight()
    {
        double worst = 0, worstDense = 0;
        for (int k = 0; k < 500; k++)
        {
            (double[] w, int rows, int columns) = Draw(k);
            SpectralNormProof proof = SpectralNormBound.Prove(w, rows, columns);
            if (w.All(x => x == 0))
            {
                Assert.Equal(0, proof.Bound);
                continue;
            }

            Assert.True(double.IsFinite(proof.Bound), $"case {k}");
            Assert.True(SpectralNormBound.Check(w, rows, columns, proof.Bound), $"case {k}: the bound does not pass its own check");
            bool normal = proof.Bound > 1e-300;
            if (Math.Min(rows, columns) <= ExactSize && Math.Max(rows, columns) <= 64)
            {
                Assert.True(ExactNorm.IsBelow(w, rows, columns, Math.BitIncrement(proof.Bound)), $"case {k}: {proof}");
                Assert.True(!normal || !ExactNorm.IsBelow(w, rows, columns, proof.Bound / (1 + 1e-9)), $"case {k}: {proof}");
            }
            else
            {
                double norm = ExactNorm.RayleighFromBelow(w, rows, columns);
                Assert.True(proof.Bound >= norm, $"case {k}: {proof.Bound:R} < {norm:R}");
                worst = Math.Max(worst, normal ? proof.Bound / norm : 1);
                Assert.True(!normal || proof.Bound <= norm * (1 + 1e-9), $"case {k} [{rows}, {columns}]: {(proof.Bound / norm) - 1:E2} {proof}");
            }

            worstDense = Math.Max(worstDense, proof.Factorisations);
            if (normal)
            {
                Assert.False(SpectralNormBound.Check(w, rows, columns, proof.Bound * (1 - 1e-6)), $"case {k}: a false claim passes");
            }
        }

        output.WriteLine($"largest bound/norm - 1 = {worst - 1:E2}, most factorisations {worstDense}");
    }

    [Fact]
    public void Gram_iteration_is_a_bound_too_and_never_below_the_norm()
    {
        for (int k = 0; k < 60; k++)
        {
            (double[] w, int rows, int columns) = Draw(k);
            double gram = GramIteration.Bound(w, rows, columns), cholesky = SpectralNormBound.Prove(w, rows, columns).Bound;
            Assert.True(gram >= cholesky * (1 - 1e-9), $"case {k}");
            Assert.True(gram <= (cholesky * 1.003) + double.Epsilon, $"case {k}: {gram / cholesky}");
            Assert.True(w.All(x => x == 0) || gram == 0 || Math.Min(rows, columns) > ExactSize || ExactNorm.IsBelow(w, rows, columns, Math.BitIncrement(gram)));
        }
    }

    [Fact]
    public void Orthogonal_matrices_have_norm_one()
    {
        Matrix<double> q = Matrix<double>.Build.Random(200, 200, 5).QR().Q;
        double bound = SpectralNormBound.Prove(q.ToRowMajorArray(), 200, 200).Bound;
        Assert.InRange(bound, 1 - 1e-14, 1 + 1e-10);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Numbers_that_are_none_are_refused(double bad)
    {
        var error = Assert.Throws<ArgumentException>(() => SpectralNormBound.Prove([1, 2, bad, 4], 2, 2));
        Assert.Contains("(1, 0)", error.Message);
    }

    [Fact]
    public void Norms_beyond_the_largest_double_are_infinite()
    {
        double[] w = [.. Enumerable.Repeat(1e308, 16)];
        Assert.Equal(double.PositiveInfinity, SpectralNormBound.Prove(w, 4, 4).Bound);
    }

    [Fact]
    public void One_and_infinity_norms_are_sums_rounded_up()
    {
        double[] w = [1, -2, 3, 0.1, 0.2, 0.3];
        Assert.InRange(InducedNormBound.Prove(w, 2, 3, 1, 1), 3.3, 3.3 + 1e-14);
        Assert.InRange(InducedNormBound.Prove(w, 2, 3, double.PositiveInfinity, double.PositiveInfinity), 6, 6 + 1e-14);
        Assert.Equal(3, InducedNormBound.Prove(w, 2, 3, 1, double.PositiveInfinity));
        Assert.InRange(InducedNormBound.Prove(w, 2, 3, 2, double.PositiveInfinity), Math.Sqrt(14) - 1e-15, Math.Sqrt(14) + 1e-14);
        Assert.InRange(InducedNormBound.Prove(w, 2, 3, 1, 3), 3.0009996, 3.0009998);
        Assert.Throws<NotSupportedException>(() => InducedNormBound.Prove(w, 2, 3, 2, 1));
        double three = InducedNormBound.Prove(w, 2, 3, 3, 3), half = InducedNormBound.Prove(w, 2, 3, 1.5, 1.5);
        var random = new Random(3);
        for (int k = 0; k < 500; k++)
        {
            double[] x = [random.NextDouble() - 0.5, random.NextDouble() - 0.5, random.NextDouble() - 0.5];
            double[] y = [x[0] - (2 * x[1]) + (3 * x[2]), (0.1 * x[0]) + (0.2 * x[1]) + (0.3 * x[2])];
            Assert.True(VectorNorm.Up(y, 3) <= three * VectorNorm.Up(x, 3) * (1 + 1e-12));
            Assert.True(VectorNorm.Up(y, 1.5) <= half * VectorNorm.Up(x, 1.5) * (1 + 1e-12));
        }
    }

    /// <summary>Random, ill-conditioned, low-rank, tiny, huge, subnormal, mixed and zero matrices; mostly small, some up to 512.</summary>
    private static (double[] W, int Rows, int Columns) Draw(int k)
    {
        var random = new Random(k);
        int most = k % 50 == 49 ? 512 : k % 10 == 9 ? 128 : k % 3 == 0 ? 48 : 14;
        int rows = 1 + random.Next(most), columns = 1 + random.Next(most);
        if (k == 499)
        {
            (rows, columns) = (512, 512);
        }

        var w = new double[rows * columns];
        double Normal() => (random.NextDouble() + random.NextDouble() + random.NextDouble() + random.NextDouble() - 2) * 1.7;
        int kind = k == 499 ? 0 : k % 8;
        int rank = kind == 2 ? Math.Min(3, Math.Min(rows, columns)) : 1;
        for (int r = 0; r < rank; r++)
        {
            double[] u = [.. Enumerable.Range(0, rows).Select(_ => Normal())], v = [.. Enumerable.Range(0, columns).Select(_ => Normal())];
            for (int i = 0; i < w.Length; i++)
            {
                w[i] += kind switch
                {
                    1 => Normal() * Math.Pow(10, -12.0 * (i % columns) / columns), // ill-conditioned
                    2 => u[i / columns] * v[i % columns],
                    3 => Normal() * 1e-30, // tiny
                    4 => Normal() * 1e30, // huge
                    5 => (float)(Normal() * 1e-41), // subnormal single precision
                    6 => k % 16 == 6 ? 0 : Normal() * 1e-310, // zero, or subnormal double precision
                    7 => i / columns == i % columns ? 1 : 1e-9 * Normal(), // nearly the identity
                    _ => (float)Normal(),
                };
            }
        }

        return (w, rows, columns);
    }
}
