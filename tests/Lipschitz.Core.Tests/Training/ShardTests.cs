using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

public class ShardTests
{
    [Theory]
    [InlineData(500, 84, 2_000_000, 6, 84, 6)] // a toy model: a gradient for each shard
    [InlineData(64, 2, 35_000_000, 32, 2, 1)] // the CIFAR-10 model: one for all
    [InlineData(3, 2, 30_000_000, 2, 2, 2)]
    [InlineData(1, 2, 350_000_000, 1, 1, 1)]
    [InlineData(100, 84, 1, 2, 50, 2)]
    public void A_batch_is_cut_by_model_and_batch_alone(int batch, int shardRows, long gradientBytes, int shards, int rows, int gradients)
    {
        BatchPlan plan = BatchPlan.Of(batch, shardRows, gradientBytes);
        Assert.Equal((shards, rows, gradients), (plan.Shards, plan.Rows, plan.Gradients));
        Assert.Equal(batch, Enumerable.Range(0, shards).Sum(plan.RowsOf));
        Assert.All(Enumerable.Range(0, shards), shard => Assert.InRange(plan.RowsOf(shard), 1, shardRows));
    }

    [Fact]
    public void Turns_are_taken_in_the_order_of_shards_whoever_comes_first()
    {
        const int Shards = 40, Parts = 5;
        var turns = new GradientTurns(Parts);
        var order = new List<int>[Parts];
        for (int part = 0; part < Parts; part++)
        {
            order[part] = [];
        }

        Parallel.For(0, Shards, new ParallelOptions { MaxDegreeOfParallelism = Shards }, shard =>
        {
            Thread.Sleep(shard * 7 % 5);
            for (int part = Parts - 1; part >= 0; part--)
            {
                turns.Await(part, Shards - 1 - shard);
                order[part].Add(Shards - 1 - shard);
                turns.Pass(part, Shards - 1 - shard);
            }
        });
        Assert.All(order, shards => Assert.Equal(Enumerable.Range(0, Shards), shards));
    }

    [Fact]
    public void A_failed_shard_keeps_nobody_waiting()
    {
        var turns = new GradientTurns(1);
        var waiting = new Thread(() => turns.Await(0, 3));
        waiting.Start();
        Assert.False(waiting.Join(50));
        turns.Abandon();
        Assert.True(waiting.Join(10_000));
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
}
