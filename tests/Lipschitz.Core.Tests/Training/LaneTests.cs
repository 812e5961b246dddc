using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

public class LaneTests
{
    [Theory]
    [InlineData(500, 84, 2_000_000, 0, 6, 84, 6)] // a toy model: a lane for each shard
    [InlineData(64, 2, 35_000_000, 0, 32, 2, 2)] // the CIFAR-10 model
    [InlineData(64, 2, 20_000_000, 0, 32, 2, 3)]
    [InlineData(64, 2, 35_000_000, 5, 32, 2, 5)]
    [InlineData(3, 2, 35_000_000, 5, 2, 2, 2)]
    [InlineData(1, 2, 35_000_000, 0, 1, 1, 1)]
    [InlineData(100, 84, 1, 1, 2, 50, 1)]
    public void A_batch_is_cut_by_model_and_batch_alone(
        int batch, int shardRows, long gradientBytes, int asked, int shards, int rows, int lanes)
    {
        BatchPlan plan = BatchPlan.Of(batch, shardRows, gradientBytes, asked);
        Assert.Equal((shards, rows, lanes), (plan.Shards, plan.Rows, plan.Lanes));
        Assert.Equal(batch, Enumerable.Range(0, shards).Sum(plan.RowsOf));
        Assert.All(Enumerable.Range(0, shards), shard => Assert.InRange(plan.RowsOf(shard), 1, shardRows));
    }

    [Fact]
    public void Lanes_change_a_gradient_by_rounding_only()
    {
        Configuration many = TinyRun.Configuration with { Training = TinyRun.Configuration.Training with { Batch = 7 * Flow.PointsPerShard } };
        Trainer one = With(many, 1), three = With(many, 3), seven = With(many, 0);
        for (int step = 0; step < 3; step++)
        {
            StepReport a = one.Step(), b = three.Step(), c = seven.Step();
            Assert.Equal(a.Loss, b.Loss, 1e-12);
            Assert.Equal(a.Loss, c.Loss, 1e-12);
            Assert.Equal(a.GradientNorm, b.GradientNorm, 1e-10);
            Assert.Equal(a.GradientNorm, c.GradientNorm, 1e-10);
        }

        Assert.All(TinyRun.State(one).Zip(TinyRun.State(three)), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        Assert.All(TinyRun.State(one).Zip(TinyRun.State(seven)), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }

    [Theory]
    [InlineData(LogDetMethod.Roulette)]
    [InlineData(LogDetMethod.Exact)]
    public void Blocks_evaluated_again_change_no_bit(LogDetMethod method)
    {
        Configuration configuration = TinyRun.Configuration with { LogDet = new LogDetSettings { Method = method } };
        Trainer kept = TinyRun.Create(configuration);
        Trainer again = TinyRun.Create(configuration with { Training = configuration.Training with { Recompute = true } });
        for (int step = 0; step < 4; step++)
        {
            Assert.Equal(kept.Step(), again.Step());
        }

        Assert.Equal(TinyRun.State(kept), TinyRun.State(again));
    }

    [Fact]
    public void Blocks_evaluated_again_take_the_memory_of_one()
    {
        IBackend backend = ReferenceBackend.Create(Precision.Float32);
        Configuration configuration = TinyRun.Configuration with
        {
            Model = TinyRun.Configuration.Model with { Blocks = 8, Growth = 64, ActNorm = false },
        };
        Flow flow = FlowFactory.Create(configuration, 2, backend);
        long Capacity(bool recompute)
        {
            var workspace = new Workspace(backend);
            FlowPass pass = flow.CreatePass(new SeriesEstimator(new FixedLength(1)), recompute);
            Tensor gradient = backend.Allocate(1, flow.Trained.Values.Columns), x = workspace.Rent(2000, 2);
            backend.Fill(x, 0.5);
            pass.Forward(x, default, workspace);
            pass.BackwardNegativeLogLikelihood(1, gradient, workspace);
            return workspace.Capacity;
        }

        Assert.InRange(Capacity(true), 1, Capacity(false) / 4);
    }

    [Fact]
    public void The_first_shard_at_fault_is_named_whatever_lane_it_is_in()
    {
        var data = new Holes(Row: (3 * Flow.PointsPerShard) + 1);
        Configuration configuration = TinyRun.Configuration with
        {
            Model = TinyRun.Configuration.Model with { ActNorm = false },
            Training = TinyRun.Configuration.Training with { Batch = 6 * Flow.PointsPerShard, Lanes = 2 },
        };
        var trainer = new Trainer(configuration, ReferenceBackend.Create(Precision.Float32), data);
        NonFiniteException failure = Assert.Throws<NonFiniteException>(() => trainer.Step());
        Assert.Contains($"rows {3 * Flow.PointsPerShard} to {(4 * Flow.PointsPerShard) - 1}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_of_pictures_are_small_and_give_the_densities_of_points()
    {
        const int Width = 300;
        IBackend backend = ReferenceBackend.Create(Precision.Float64);
        Configuration configuration = TinyRun.Configuration with { Model = TinyRun.Configuration.Model with { Blocks = 1, Depth = 1, Growth = 2 } };
        Flow flow = FlowFactory.Create(configuration, Width, backend);
        Assert.Equal(Flow.PicturesPerShard, flow.ShardRows);
        Assert.Equal(64, flow.InitialisationRows(100));
        double[] x = Enumerable.Range(0, 5 * Width).Select(i => Math.Sin(i)).ToArray();
        flow.Initialise(x);
        double[] z = flow.Forward(x);
        Assert.Equal(0, Enumerable.Range(0, 5).Average(row => z[(row * Width) + 7]), 1e-12);
        var estimator = new SeriesEstimator(new FixedLength(4));
        Assert.Equal(flow.LogProb(x[..(3 * Width)], estimator).Values, flow.LogProb(x, estimator).Values[..3]);
        Assert.All(x.Zip(flow.Inverse(z, 1e-9).Points), pair => Assert.Equal(pair.First, pair.Second, 1e-7));
    }

    private static Trainer With(Configuration configuration, int lanes) =>
        TinyRun.Create(configuration with { Training = configuration.Training with { Lanes = lanes } }, Precision.Float64);

    /// <summary>Points of which those from one row on are infinite, in every second shard.</summary>
    private sealed record Holes(long Row) : IPointSource
    {
        public int Width => 2;

        public double? Entropy => null;

        public int? TrainingRows => null;

        public int? TestRows => null;

        public int? RowsPerEpoch => null;

        public void Sample(RandomKey key, long firstRow, Span<double> points)
        {
            for (int i = 0; i < points.Length; i++)
            {
                long row = firstRow + (i / 2);
                points[i] = row >= Row ? double.PositiveInfinity : Math.Sin(row + (i % 2));
            }
        }
    }
}
