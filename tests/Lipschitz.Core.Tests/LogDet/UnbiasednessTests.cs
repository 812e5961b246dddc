using Lipschitz.LogDet;

namespace Lipschitz.Core.Tests.LogDet;

/// <summary>
/// z-tests: means of value and gradient over many draws against the exact ones. At 4.5 standard errors a right estimator fails one
/// number in 150,000; seeds are fixed, so a run that passes passes always.
/// </summary>
public class UnbiasednessTests
{
    private const int Draws = 12_000;
    private const double Limit = 4.5;

    // With one probe in 2 dimensions a draw of 2 or more terms materialises the Jacobian and one of fewer sweeps; the rest always sweep.
    public static TheoryData<int, TailDistribution, double, int, int, ProbeKind> Roulettes => new()
    {
        { 2, TailDistribution.Geometric, 0.5, 0, 1, ProbeKind.Gaussian },
        { 2, TailDistribution.Geometric, 0.5, 1, 1, ProbeKind.Rademacher },
        { 2, TailDistribution.Geometric, 0.5, 2, 1, ProbeKind.Gaussian },
        { 2, TailDistribution.Geometric, 0.4, 2, 3, ProbeKind.Rademacher },
        { 2, TailDistribution.Geometric, 0.6, 0, 3, ProbeKind.Gaussian },
        { 2, TailDistribution.Poisson, 3, 0, 1, ProbeKind.Rademacher },
        { 2, TailDistribution.Poisson, 2, 1, 1, ProbeKind.Gaussian },
        { 2, TailDistribution.Poisson, 2, 2, 3, ProbeKind.Gaussian },
        { 12, TailDistribution.Geometric, 0.5, 2, 1, ProbeKind.Gaussian },
        { 12, TailDistribution.Geometric, 0.5, 0, 3, ProbeKind.Rademacher },
        { 12, TailDistribution.Poisson, 2, 1, 1, ProbeKind.Rademacher },
        { 12, TailDistribution.Poisson, 3, 0, 3, ProbeKind.Gaussian },
    };

    [Theory, MemberData(nameof(Roulettes))]
    public void Value_and_gradient_of_the_roulette_have_the_exact_mean(
        int width, TailDistribution distribution, double parameter, int exactTerms, int probes, ProbeKind probe)
    {
        var estimator = new SeriesEstimator(new RouletteLength(distribution, parameter, exactTerms), probes, probe);
        double[] scores = new Trial(width).Scores(estimator, new ExactDeterminant(), Draws);
        Assert.All(scores, score => Assert.InRange(score, -Limit, Limit));
    }

    [Theory]
    [InlineData(2, 1, 5, ProbeKind.Gaussian)]
    [InlineData(2, 3, 4, ProbeKind.Rademacher)]
    [InlineData(12, 1, 3, ProbeKind.Rademacher)]
    public void Probes_of_a_cut_series_have_the_mean_of_its_exact_traces(int width, int probes, int terms, ProbeKind probe)
    {
        // The gradient of a cut Neumann series belongs to one term more than the cut value has.
        var estimator = new SeriesEstimator(new FixedLength(terms), probes, probe);
        var trial = new Trial(width);
        Assert.InRange(trial.Scores(estimator, new ExactTraceSeries(terms), Draws)[0], -Limit, Limit);
        Assert.All(trial.Scores(estimator, new ExactTraceSeries(terms + 1), Draws)[1..], score => Assert.InRange(score, -Limit, Limit));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(2, 3)]
    [InlineData(12, 1)]
    public void Weights_that_are_wrong_are_noticed(int width, int probes)
    {
        var right = new RouletteLength(TailDistribution.Geometric, 0.5, 0);
        Func<int, double>[] wrong = [k => right.Weight(k + 1), _ => 1, k => k == 2 ? 1 : right.Weight(k)];
        for (int fault = 0; fault < wrong.Length; fault++)
        {
            double[] scores = new Trial(width).Scores(
                new SeriesEstimator(new Reweighted(right, wrong[fault]), probes), new ExactDeterminant(), Draws);
            Assert.True(Math.Abs(scores[0]) > Limit, $"value, fault {fault}: {scores[0]}");

            // In 12 dimensions the gradient is noisier than the second and third fault are large.
            Assert.True(scores[1..].Max(Math.Abs) > Limit || (width == 12 && fault > 0), $"gradient, fault {fault}: {string.Join(", ", scores[1..])}");
        }
    }

    private sealed class Reweighted(RouletteLength length, Func<int, double> weight) : SeriesLength
    {
        public override bool IsUnbiased => true;

        public override double ExpectedTerms => length.ExpectedTerms;

        public override int Terms(in DrawAddress draw) => length.Terms(draw);

        public override double Weight(int k) => weight(k);
    }
}
