using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>One shard's part of a step, forward and backward through the whole flow on one thread, without allocating.</summary>
internal sealed class ShardStep
{
    private readonly IBackend _backend;
    private readonly IPointSource _data;
    private readonly FlowPass _pass;
    private readonly Workspace _workspace;
    private readonly long _firstRow;
    private readonly double[] _points;
    private readonly double[] _logProbs;

    public ShardStep(Flow flow, LogDetEstimator estimator, IPointSource data, long firstRow, int rows)
    {
        (_backend, _data, _firstRow) = (flow.Backend, data, firstRow);
        _pass = flow.CreatePass(estimator);
        _workspace = new Workspace(_backend);
        _points = new double[rows * data.Width];
        _logProbs = new double[rows];
        Gradient = _backend.Allocate(1, flow.Trained.Values.Columns);
    }

    /// <summary>The flat gradient with respect to effective weights, of this shard's rows alone.</summary>
    public Tensor Gradient { get; }

    /// <summary>The sum of -log p(x) over the shard's rows.</summary>
    public double Loss { get; private set; }

    public void Run(ulong seed, uint step, double weight)
    {
        int rows = _logProbs.Length;
        _workspace.Reset();
        Tensor x = _workspace.Rent(rows, _data.Width), logProb = _workspace.Rent(rows, 1);
        _data.Sample(new RandomKey(seed, RandomPurpose.TrainingData, step), _firstRow, _points);
        _backend.Upload(_points, x);
        _pass.Forward(x, new DrawAddress(seed, step, 0, _firstRow), _workspace);
        _pass.LogProb(logProb);
        _backend.Download(logProb, _logProbs);
        double sum = 0;
        foreach (double value in _logProbs)
        {
            sum -= value;
        }

        Loss = sum;
        _backend.Fill(Gradient, 0);
        _pass.BackwardNegativeLogLikelihood(weight, Gradient, _workspace);
    }

    public string DescribeNonFinite() => _pass.DescribeNonFinite(_firstRow);
}
