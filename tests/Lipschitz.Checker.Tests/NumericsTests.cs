using System.Numerics;
using Lipschitz.Backends;
using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Certificates;

namespace Lipschitz.Checker.Tests;

public sealed class NumericsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(0.25)]
    [InlineData(-13.7)]
    [InlineData(1e-30)]
    [InlineData(-300)]
    [InlineData(600)]
    public void Exp_is_above_the_truth_and_near_it(double x)
    {
        double up = Outward.ExpUp(x);
        Assert.True(up >= Math.Exp(x));
        Assert.True(up <= Math.Exp(x) * (1 + 1e-11));

        // A true lower bound: 1/exp(-x) with exp(-x) rounded up.
        Assert.True(1 / Outward.ExpUp(-x) <= up);
    }

    [Fact]
    public void Exp_out_of_range_is_infinite()
    {
        Assert.Equal(double.PositiveInfinity, Outward.ExpUp(701));
        Assert.Equal(double.PositiveInfinity, Outward.ExpUp(double.NaN));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 7)]
    [InlineData(7, 3)]
    [InlineData(64, 64)]
    [InlineData(130, 57)]
    public void The_norm_of_a_scaled_isometry_is_proven_tightly_and_nothing_below_it(int rows, int columns)
    {
        // c (I - 2 v v'/v'v), cut: the largest singular value is c for every shape here but the rounding of its entries.
        const double c = 0.75;
        var random = new Random(3);
        int n = Math.Max(rows, columns);
        double[] v = [.. Enumerable.Range(0, n).Select(_ => random.NextDouble() - 0.5)];
        v[^1] = rows == columns ? v[^1] : 0; // a cut row or column keeps a unit vector whole
        double square = v.Sum(x => x * x);
        var w = new double[rows * columns];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                w[(i * columns) + j] = c * ((i == j ? 1 : 0) - (2 * v[i] * v[j] / square));
            }
        }

        double norm = rows == columns ? c : LargestSingularValue(w, rows, columns);
        Assert.True(VerifiedCholesky.ProvesNorm(w, rows, columns, 0, norm * (1 + 1e-10)));
        Assert.False(VerifiedCholesky.ProvesNorm(w, rows, columns, 0, norm * (1 - 1e-10)));
        Assert.False(VerifiedCholesky.ProvesNorm(w, rows, columns, 1e-8, norm * (1 + 1e-9)));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-1)]
    [InlineData(0)]
    public void Senseless_bounds_are_not_proven(double bound) =>
        Assert.False(VerifiedCholesky.ProvesNorm([0.0, 0, 0, 0], 2, 2, 0, bound));

    [Fact]
    public void Matrices_with_nan_or_of_huge_numbers_are_not_proven()
    {
        Assert.False(VerifiedCholesky.ProvesNorm([double.NaN, 0, 0, 1], 2, 2, 0, 2));
        Assert.False(VerifiedCholesky.ProvesNorm([1e300, 0, 0, 1], 2, 2, 0, 2));
        Assert.True(VerifiedCholesky.ProvesNorm([0.0, 0, 0, 0], 2, 2, 0, 1e-30));
    }

    [Fact]
    public void The_constants_of_swish_are_rationally_proven()
    {
        // t tanh t = 1 has t < t0 = 1.199678646: t0 tanh t0 > 1 iff exp(2 t0) (t0 - 1) > t0 + 1, and a Taylor sum is below exp.
        BigInteger denominator = 1_000_000_000, t0 = 1_199_678_646, term = 1, sum = 1, scale = BigInteger.Pow(10, 40);
        term = sum = scale;
        for (int k = 1; k <= 40; k++)
        {
            term = term * 2 * t0 / (denominator * k); // rounded down
            sum += term;
        }

        Assert.True(sum * (t0 - denominator) > scale * (t0 + denominator));

        // (1 - t0)/2.2 >= -0.0907631, (1 + t0)/2.2 <= 0.99985393 <= 0.99986, and sqrt((1 + t0^2)/2)/1.1044 <= 0.99997, in integers.
        Assert.True((t0 - denominator) * 100_000_000 <= 907_631 * 22L * denominator);
        Assert.True((denominator + t0) * 1_000_000_000 <= 99_985_393 * 22L * denominator);
        Assert.True(
            ((denominator * denominator) + (t0 * t0)) * BigInteger.Pow(10, 18) <= 2 * BigInteger.Pow(99_997 * 11_044, 2) * denominator * denominator);
    }

    [Fact]
    public void The_table_of_constants_is_above_the_proven_ones_and_that_of_the_prover()
    {
        foreach (Activation f in Enum.GetValues<Activation>())
        {
            ActivationConstant constant = ActivationConstant.Find(f.ToString(), "");
            Assert.True(constant.Lipschitz >= ActivationBound.Lipschitz(f, 2), f.ToString());
            Assert.True(constant.Lipschitz <= ActivationBound.Lipschitz(f, 2) * 1.0001, f.ToString());
            Assert.Equal(constant.Slopes is null, f == Activation.MaxMin);
            var slopes = ActivationBound.Slopes(f == Activation.CLipSwish ? Activation.LipSwish : f);
            Assert.True(constant.Slopes is not ({ } least, { } largest) || (least <= slopes.Lower && largest >= slopes.Upper), f.ToString());
            Assert.Equal(f.ParameterCount(), constant.Scalars);
            Assert.Equal(f.OutputColumns(6), constant.OutputColumns(6));
        }

        Assert.Equal(CertificateChecker.Statement, CertificateJson.Statement);
    }

    private static double LargestSingularValue(double[] w, int rows, int columns) => Verification.Dense.SpectralNormBound.Prove(w, rows, columns).Estimate;
}
