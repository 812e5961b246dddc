using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>
/// One lane's part of a step: its shards one after the other, forward and backward through the whole flow on one thread, adding to one
/// gradient, without allocating.
/// </summary>
internal sealed class GradientLane
{
    private readonly IBackend _backend;
    private readonly IPointSource _data;
    private readonly FlowPass _pass;
    private readonly Workspace _workspace;
    private readonly BatchPlan _plan;
    private readonly int _lane;
    private readonly double[] _points;
    private readonly double[] _logProbs;
    private readonly double[] _losses;
    private int _shard;

    /// <summary>Makes lane number <paramref name="lane"/>, which writes the sum of -log p(x) over each of its shards into <paramref name="losses"/>.</summary>
    public GradientLane(Flow flow, LogDetEstimator estimator, IPointSource data, BatchPlan plan, int lane, double[] losses, bool recompute)
    {
        (_backend, _data, _plan, _lane, _losses) = (flow.Backend, data, plan, lane, losses);
        _pass = flow.CreatePass(estimator, recompute);
        _workspace = new Workspace(_backend);
        _points = new double[plan.Rows * data.Width];
        _logProbs = new double[plan.Rows];
        Gradient = _backend.Allocate(1, flow.Trained.Values.Columns);
    }

    /// <summary>The flat gradient with respect to effective weights, of this lane's rows alone.</summary>
    public Tensor Gradient { get; }

    /// <summary>The shard whose loss is not finite and where the lane has stopped; -1 where there is none.</summary>
    public int FailedShard { get; private set; }

    /// <summary>Works through the lane's shards; each row counts with <paramref name="weight"/>.</summary>
    public void Run(ulong seed, uint step, double weight)
    {
        _backend.Fill(Gradient, 0);
        FailedShard = -1;
        for (_shard = _lane; _shard < _plan.Shards; _shard += _plan.Lanes)
        {
            RunShard(seed, step, weight);
            if (!double.IsFinite(_losses[_shard]))
            {
                FailedShard = _shard;
                return;
            }
        }
    }

    /// <summary>What went wrong in <see cref="FailedShard"/>.</summary>
    public string DescribeNonFinite() => _pass.DescribeNonFinite(_plan.FirstRow(_shard));

    private void RunShard(ulong seed, uint step, double weight)
    {
        int rows = _plan.RowsOf(_shard), firstRow = _plan.FirstRow(_shard);
        _workspace.Reset();
        Tensor x = _workspace.Rent(rows, _data.Width), logProb = _workspace.Rent(rows, 1);
        Span<double> points = _points.AsSpan(0, rows * _data.Width), logProbs = _logProbs.AsSpan(0, rows);
        _data.Sample(new RandomKey(seed, RandomPurpose.TrainingData, step), firstRow, points);
        _backend.Upload(points, x);
        _pass.Forward(x, new DrawAddress(seed, step, 0, firstRow), _workspace);
        _pass.LogProb(logProb);
        _backend.Download(logProb, logProbs);
        double sum = 0;
        foreach (double value in logProbs)
        {
            sum -= value;
        }

        _losses[_shard] = sum;
        _pass.BackwardNegativeLogLikelihood(weight, Gradient, _workspace);
    }
}
