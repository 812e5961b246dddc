using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Flows;

public class FlowTests
{
    [Fact]
    public void ActNorm_brings_its_first_batch_to_mean_0_and_variance_1()
    {
        var norm = new ActNorm(BijectionTable.Backend, "norm", 2);
        double[] x = [.. Normal(new Random(1), 200).Select((v, i) => i % 2 == 0 ? (4 * v) + 3 : (v / 2) - 1)];
        var flow = new Flow(BijectionTable.Backend, [norm]);
        flow.Initialise(x);
        double[] z = flow.Forward(x);
        Assert.Equal(0, z.Where((_, i) => i % 2 == 0).Average(), 1e-12);
        Assert.Equal(1, z.Where((_, i) => i % 2 == 0).Average(v => v * v), 1e-12);

        // A variance below 0.2 counts as 0.2, so that a column that hardly moves is not blown up.
        Assert.Equal(0, z.Where((_, i) => i % 2 == 1).Average(), 1e-12);
        Assert.Equal(1, z.Where((_, i) => i % 2 == 1).Average(v => v * v), 0.5);
    }

    [Fact]
    public void A_density_that_is_not_finite_names_the_first_block_at_fault()
    {
        Flow flow = BijectionTable.Create("three blocks and four ActNorms", 2);
        Parameter bias = flow.Blocks.ElementAt(1).Parameters.First(p => p.Role == ParameterRole.Bias);
        flow.Backend.Fill(bias.Value, double.NaN);
        flow.Prepare();
        NonFiniteException failure = Assert.Throws<NonFiniteException>(() => flow.LogProb([1.0, 2.0], new ExactDeterminant()));
        Assert.Contains("blocks.1", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("blocks.2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_row_at_fault_is_named()
    {
        Flow flow = BijectionTable.Create("block, dense net", 2);
        double[] x = Normal(new Random(1), 2 * 3 * Flow.PointsPerShard);
        x[(2 * Flow.PointsPerShard) + 5] = double.PositiveInfinity;
        NonFiniteException failure = Assert.Throws<NonFiniteException>(() => flow.LogProb(x, new ExactDeterminant()));
        Assert.Equal(Flow.PointsPerShard + 2, failure.Row);
        Assert.EndsWith($"the input is not finite (row {Flow.PointsPerShard + 2}, counted from 0)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_without_a_finite_density_may_stay_among_the_others()
    {
        Flow flow = BijectionTable.Create("block, dense net", 2);
        double[] x = Normal(new Random(1), 2 * 3 * Flow.PointsPerShard);
        double[] expected = flow.LogProb(x, new ExactDeterminant()).Values;
        x[(2 * Flow.PointsPerShard) + 4] = double.NaN;
        expected[Flow.PointsPerShard + 2] = double.NaN;
        Assert.Equal(expected, flow.LogProb(x, new ExactDeterminant(), allowNonFinite: true).Values);
    }

    [Fact]
    public void A_determinant_that_is_not_positive_names_its_block()
    {
        Flow good = BijectionTable.OfMatrix(BijectionTable.Backend, 0.5), bad = BijectionTable.OfMatrix(BijectionTable.Backend, -1.5);
        var second = new ResidualBlock(BijectionTable.Backend, "blocks.1", bad.Blocks.Single().Branch);
        var flow = new Flow(BijectionTable.Backend, [good.Bijections[0], second]);
        NonFiniteException failure = Assert.Throws<NonFiniteException>(() => flow.LogProb([1.0], new ExactDeterminant()));
        Assert.Contains("log-determinant", failure.Message, StringComparison.Ordinal);
        Assert.Contains("blocks.1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Repeats_of_a_random_estimator_have_the_standard_error_of_their_mean()
    {
        Flow flow = BijectionTable.Create("block, dense net", 2);
        var estimator = new SeriesEstimator(new RouletteLength(TailDistribution.Geometric, 0.5, 2));
        double[] x = [0.3, -0.4];
        LogProbResult once = flow.LogProb(x, estimator, 5);
        Assert.Null(once.StandardErrors);
        Assert.Equal(LogDetKind.Unbiased, once.Kind);
        LogProbResult many = flow.LogProb(x, estimator, 5, 400);
        double exact = flow.LogProb(x, new ExactDeterminant()).Values[0];
        Assert.InRange(many.StandardErrors![0], 1e-4, 0.2);
        Assert.InRange(Math.Abs(many.Values[0] - exact), 0, 4.5 * many.StandardErrors[0]);
        Assert.Equal(many.Values, flow.LogProb(x, estimator, 5, 400).Values);
        Assert.NotEqual(many.Values, flow.LogProb(x, estimator, 6, 400).Values);
    }

    [Fact]
    public void Repeats_of_an_estimator_that_is_not_random_have_no_standard_error()
    {
        Flow flow = BijectionTable.Create("block, dense net", 2);
        LogProbResult cut = flow.LogProb([0.3, -0.4], new ExactTraceSeries(3), repeats: 8);
        Assert.Null(cut.StandardErrors);
        Assert.Null(cut.RepeatMeans);
        Assert.Equal(flow.LogProb([0.3, -0.4], new ExactTraceSeries(3)).Values, cut.Values);
    }

    [Fact]
    public void The_bound_of_a_branch_follows_weights_that_were_replaced()
    {
        Flow flow = BijectionTable.OfMatrix(BijectionTable.Backend, 0.5);
        ResidualBlock block = flow.Blocks.Single();
        Assert.Equal(0.5, block.BranchBound, 1e-12);
        Tensor weight = block.Branch.EffectiveWeights.Single().Value;
        flow.Backend.Upload([0.75], weight);
        block.Branch.Pack();
        Assert.Equal(0.75, block.BranchBound, 1e-12);
        Assert.Equal(0.4, flow.Inverse([0.7], 1e-9).Points[0], 1e-8);
    }

    [Fact]
    public void A_proven_bound_inverts_a_block_whose_product_does_not_until_the_weights_change()
    {
        // g(x) = diag(0, 1) diag(1.1, 0.5) x: the layers' product is 1.1, the branch 0.5-Lipschitz.
        Flow flow = BijectionTable.OfProduct([0, 0, 0, 1], [1.1, 0, 0, 0.5]);
        ResidualBlock block = flow.Blocks.Single();
        Assert.Equal(1.1, block.BranchBound, 1e-12);
        Assert.Throws<ConvergenceException>(() => flow.Inverse([0.7, 0.3]));
        block.UseProven(1.3);
        Assert.Equal(1.1, block.BranchBound, 1e-12);
        block.UseProven(0.5);
        Assert.Equal((0.5, 2.0), (block.BranchBound, block.InverseLipschitz));
        InverseReport inverse = flow.Inverse([0.7, 0.3], 1e-9);
        Assert.Equal(0.7, inverse.Points[0], 1e-9);
        Assert.Equal(0.2, inverse.Points[1], 1e-9);

        void Replace(params double[] first)
        {
            flow.Backend.Upload(first, block.Branch.EffectiveWeights[0].Value);
            block.Branch.Pack();
        }

        Replace(1.2, 0, 0, 0.5);
        Assert.Equal(1.2, block.BranchBound, 1e-12);
        Replace(0.8, 0, 0, 0.5);
        block.UseProven(0.5);
        Assert.Equal(0.8, block.BranchBound, 1e-12); // serves where it must, and nowhere else
        Assert.Throws<ArgumentOutOfRangeException>(() => block.UseProven(-1));
    }

    [Fact]
    public void Samples_follow_the_latents_whatever_their_number()
    {
        Flow flow = BijectionTable.Create("two blocks", 2);
        double[] few = flow.Sample(3, 9), many = flow.Sample(Flow.PointsPerShard + 2, 9);
        Assert.Equal(few, many[..6]);
        Assert.All(flow.Forward(many), z => Assert.InRange(z, -6.7, 6.7));
    }

    [Fact]
    public void No_points_give_no_results()
    {
        Flow flow = BijectionTable.Create("two blocks", 2);
        Assert.Empty(flow.Forward([]));
        Assert.Empty(flow.Inverse([]).Points);
        Assert.Empty(flow.LogProb([], new ExactDeterminant()).Values);
        Assert.Throws<ShapeMismatchException>(() => flow.Forward([1, 2, 3]));
    }
}
