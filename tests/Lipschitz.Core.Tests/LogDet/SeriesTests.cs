using Lipschitz.Core.Tests.Flows;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.LogDet;

public class SeriesTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(12)]
    public void A_cut_series_is_off_by_at_most_its_bound(int width)
    {
        var trial = new Trial(width);
        double[] exact = trial.LogDet(new ExactDeterminant());
        double previous = double.PositiveInfinity;
        for (int terms = 1; terms <= 20; terms++)
        {
            double bound = SeriesTruncation.Bound(width, terms, trial.Block.BranchBound);
            double error = exact.Zip(trial.LogDet(new ExactTraceSeries(terms)), (a, b) => Math.Abs(a - b)).Max();
            Assert.InRange(error, 0, bound + 1e-13);
            Assert.True(bound < previous);
            previous = bound;
        }

        Assert.Equal(exact, trial.LogDet(new ExactTraceSeries(80)), (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void The_bound_of_a_cut_series_is_nearly_attained_and_refuses_expansions()
    {
        // g(x) = -L x: log(1 - L) = -sum L^k/k, all errors of one sign.
        Flow flow = BijectionTable.OfMatrix(BijectionTable.Backend, -0.3);
        double exact = BijectionTests.Pass(flow, new ExactDeterminant(), [1.0]).LogDet[0];
        double cut = BijectionTests.Pass(flow, new ExactTraceSeries(3), [1.0]).LogDet[0];
        Assert.Equal(Math.Log(0.7), exact, 1e-14);
        Assert.InRange(cut - exact, 0.8 * SeriesTruncation.Bound(1, 3, 0.3), SeriesTruncation.Bound(1, 3, 0.3));
        Assert.InRange(SeriesTruncation.Bound(2, int.MaxValue, 1 - 1e-12), 929.3, 929.4); // 2 (1 - 10^-12)^(2^31) / (2^31 10^-12)
        Assert.Throws<ArgumentOutOfRangeException>(() => SeriesTruncation.Bound(2, 3, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => SeriesTruncation.Bound(2, 3, double.NaN));
    }

    [Theory]
    [InlineData(TailDistribution.Geometric, 0.5, 0)]
    [InlineData(TailDistribution.Geometric, 0.3, 2)]
    [InlineData(TailDistribution.Poisson, 2.0, 0)]
    [InlineData(TailDistribution.Poisson, 4.5, 1)]
    public void The_number_of_terms_has_the_frequencies_that_its_weights_assume(TailDistribution distribution, double parameter, int exactTerms)
    {
        const int Draws = 200_000;
        var length = new RouletteLength(distribution, parameter, exactTerms);
        var counts = new int[100];
        double sum = 0, squares = 0;
        for (int i = 0; i < Draws; i++)
        {
            int terms = length.Terms(new DrawAddress(5, (uint)(i / 10), (uint)(i % 10), 0));
            counts[terms]++;
            sum += terms;
            squares += (double)terms * terms;
        }

        double mean = sum / Draws;
        Assert.InRange(mean - length.ExpectedTerms, -4.5 * Math.Sqrt(((squares / Draws) - (mean * mean)) / Draws), 4.5 * Math.Sqrt(((squares / Draws) - (mean * mean)) / Draws));
        for (int k = 1; k <= exactTerms + 15; k++)
        {
            double probability = 1 / length.Weight(k), share = counts[k..].Sum() / (double)Draws;
            Assert.Equal(Tail(distribution, parameter, k - exactTerms), probability, 1e-12);
            Assert.InRange(Math.Abs(share - probability), 0, (4.5 * Math.Sqrt(probability * (1 - probability) / Draws)) + (2.0 / Draws));
        }
    }

    [Fact]
    public void All_rows_of_a_pass_share_their_number_of_terms_and_blocks_do_not()
    {
        var length = new RouletteLength(TailDistribution.Geometric, 0.5, 2);
        int[] rows = [.. Enumerable.Range(0, 50).Select(row => length.Terms(new DrawAddress(1, 2, 3, row)))];
        int[] blocks = [.. Enumerable.Range(0, 50).Select(block => length.Terms(new DrawAddress(1, 2, (uint)block, 0)))];
        int[] steps = [.. Enumerable.Range(0, 50).Select(step => length.Terms(new DrawAddress(1, (uint)step, 3, 0)))];
        Assert.Single(rows.Distinct());
        Assert.True(blocks.Distinct().Count() > 2);
        Assert.NotEqual(blocks, steps);
    }

    [Theory]
    [InlineData(1, ProbeKind.Gaussian)]
    [InlineData(3, ProbeKind.Rademacher)]
    public void A_batch_gives_the_same_numbers_whole_or_in_shards(int probes, ProbeKind probe)
    {
        Flow flow = BijectionTable.Create("three blocks and four ActNorms", 2);
        var estimator = new SeriesEstimator(new RouletteLength(TailDistribution.Geometric, 0.5, 2), probes, probe);
        const int Rows = 11;
        double[] x = Normal(new Random(3), 2 * Rows);
        (double[] whole, double[] wholeGradient) = Run(flow, estimator, x, 0);
        foreach (int[] sizes in new int[][] { [5, 6], [1, 2, 8], [10, 1] })
        {
            var logDet = new List<double>();
            var gradient = new double[wholeGradient.Length];
            int first = 0;
            foreach (int size in sizes)
            {
                (double[] part, double[] partGradient) = Run(flow, estimator, x[(2 * first)..(2 * (first + size))], first);
                logDet.AddRange(part);
                gradient = [.. gradient.Zip(partGradient, (a, b) => a + b)];
                first += size;
            }

            Assert.Equal(whole, logDet.ToArray());
            Close(wholeGradient, gradient);
        }
    }

    [Fact]
    public void Probes_of_one_sample_differ()
    {
        var estimator = new SeriesEstimator(new FixedLength(3), 256);
        Tensor tangents = NaNs(2 * 256, 3);
        estimator.FillTangents(Backend, new DrawAddress(1, 2, 3, 0), 2, tangents, new Workspace(Backend));
        double[] values = tangents.Read();
        Assert.Equal(values.Length, values.Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => new SeriesEstimator(new FixedLength(3), 257));
    }

    [Theory]
    [InlineData(LogDetMethod.Truncated)]
    [InlineData(LogDetMethod.ExactTrace)]
    public void A_very_long_series_is_refused_or_summed_but_never_a_crash(LogDetMethod method)
    {
        LogDetEstimator estimator = EstimatorFactory.Create(new LogDetSettings { Method = method, Terms = 200_000 });
        Flow flow = BijectionTable.OfMatrix(BijectionTable.Backend, 0.5);
        Assert.True(double.IsFinite(BijectionTests.Pass(flow, estimator, [1.0]).LogDet[0]));
    }

    [Theory]
    [InlineData(TailDistribution.Geometric, 0)]
    [InlineData(TailDistribution.Geometric, 1)]
    [InlineData(TailDistribution.Geometric, double.NaN)]
    [InlineData(TailDistribution.Geometric, 0.0009)] // tens of thousands of terms
    [InlineData(TailDistribution.Poisson, -1)]
    public void Impossible_tails_are_refused(TailDistribution distribution, double parameter) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RouletteLength(distribution, parameter, 0));

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.005)]
    [InlineData(0.001)]
    public void A_geometric_tail_is_cut_where_no_draw_reaches(double p)
    {
        var length = new RouletteLength(TailDistribution.Geometric, p, 2);
        int last = 2 + (int)(50 * Math.Log(2) / p); // of probability 2^-50 and less
        Assert.Equal(Math.Pow(1 - p, 3 - last), length.Weight(last), 1e-9 * length.Weight(last));
        double mean = Enumerable.Range(0, 20_000).Average(i => (double)length.Terms(new DrawAddress(3, (uint)i, 0, 0)));
        Assert.InRange(mean, length.ExpectedTerms - (0.05 / p), length.ExpectedTerms + (0.05 / p)); // seven standard errors
    }

    [Fact]
    public void Estimators_say_what_they_are()
    {
        Assert.Equal(
            [false, false, false, true],
            new LogDetEstimator[] { new ExactDeterminant(), new ExactTraceSeries(3), new NoLogDeterminant(), new SeriesEstimator(new FixedLength(3)) }
                .Select(estimator => estimator.IsRandom));
        Assert.Equal(LogDetKind.Exact, new ExactDeterminant().Kind);
        Assert.Equal(LogDetKind.Biased, new ExactTraceSeries(3).Kind);
        Assert.Equal(LogDetKind.Biased, new SeriesEstimator(new FixedLength(3)).Kind);
        Assert.Equal(LogDetKind.Unbiased, new SeriesEstimator(new RouletteLength(TailDistribution.Poisson, 2, 1)).Kind);
        Assert.Throws<NotSupportedException>(() => new ExactDeterminant().CotangentCount(17));
    }

    private static (double[] LogDet, double[] Gradient) Run(Flow flow, LogDetEstimator estimator, double[] x, long firstRow)
    {
        var workspace = new Workspace(flow.Backend);
        FlowPass pass = flow.CreatePass(estimator);
        pass.Forward(Tensor(x.Length / 2, 2, x), new DrawAddress(4, 1, 0, firstRow), workspace);
        Tensor gradient = flow.Backend.Allocate(1, flow.Trained.Values.Columns);
        pass.BackwardNegativeLogLikelihood(0.1, gradient, workspace);
        return (pass.LogDet.Read(), gradient.Read());
    }

    private static double Tail(TailDistribution distribution, double parameter, int k)
    {
        if (k <= 0)
        {
            return 1;
        }

        if (distribution == TailDistribution.Geometric)
        {
            return Math.Pow(1 - parameter, k - 1);
        }

        double mass = Math.Exp(-parameter), below = 0;
        for (int j = 0; j < k; j++)
        {
            below += mass;
            mass *= parameter / (j + 1);
        }

        return 1 - below;
    }
}
