using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>
/// Takes shards through a step, one at a time, forward and backward through the whole flow on one thread, adding to a gradient, without
/// allocating and without waiting for a device.
/// </summary>
internal sealed class ShardWorker : IGradientOrder
{
    private readonly IBackend _backend;
    private readonly FlowPass _pass;
    private readonly HeadPass? _head;
    private readonly Workspace _workspace;
    private readonly BatchPlan _plan;
    private readonly BatchInput _input;
    private readonly BatchLosses _losses;
    private readonly Objective _objective;
    private readonly GradientTurns? _turns;
    private readonly double[] _classes;
    private int _shard;

    /// <summary>Makes a worker.</summary>
    /// <param name="flow">The flow in training.</param>
    /// <param name="estimator">Its log-determinants.</param>
    /// <param name="configuration">How it is trained.</param>
    /// <param name="objective">What is minimised.</param>
    /// <param name="plan">The shards.</param>
    /// <param name="turns">Keeps workers that share a gradient in order; null for a worker with a gradient of its own.</param>
    /// <param name="input">The rows of all shards.</param>
    /// <param name="losses">Where to write what is found for each row.</param>
    public ShardWorker(
        Flow flow, LogDetEstimator estimator, Configuration configuration, Objective objective, BatchPlan plan, GradientTurns? turns, BatchInput input,
        BatchLosses losses)
    {
        (_backend, _objective, _plan, _turns, _input, _losses) = (flow.Backend, objective, plan, turns, input, losses);
        _pass = flow.CreatePass(estimator, configuration.Training.Recompute);
        _head = objective.HasClasses ? flow.Head!.CreatePass() : null;
        _workspace = new Workspace(_backend);
        _classes = new double[_head is null ? 0 : plan.Rows];
        HeadPart = flow.Bijections.Count;
    }

    private int HeadPart { get; }

    /// <summary>Works through a shard, adding to gradient (flat, effective weights).</summary>
    public void Run(ulong seed, uint step, int shard, Tensor gradient)
    {
        Forward(seed, step, shard);
        if (_objective.HasDensity)
        {
            _pass.LogProb(Rows(_losses.LogProb));
        }

        if (_head is not null)
        {
            Classify(_head, gradient);
        }

        _pass.BackwardNegativeLogLikelihood(
            _objective.DensityWeight / _plan.Batch, gradient, _workspace, _head is null ? default : _head.OutputGradients, this);
    }

    void IGradientOrder.Enter(int bijection) => _turns?.Await(bijection, _shard);

    void IGradientOrder.Leave(int bijection) => _turns?.Pass(bijection, _shard);

    /// <summary>What goes wrong in a shard whose loss is not finite; evaluates it again to find out.</summary>
    public string DescribeNonFinite(ulong seed, uint step, int shard)
    {
        Forward(seed, step, shard);
        int first = _plan.FirstRow(shard);
        return (_head?.DescribeNonFinite(_pass, first) ?? _pass.DescribeNonFinite(first)).Message;
    }

    private void Forward(ulong seed, uint step, int shard)
    {
        _shard = shard;
        _workspace.Reset();
        ReadOnlySpan<double> points = _input.Points(shard);
        int rows = _plan.RowsOf(shard);
        Tensor x = _workspace.Rent(rows, points.Length / rows);
        _backend.Upload(points, x);
        _pass.Forward(x, new DrawAddress(seed, step, 0, _plan.FirstRow(shard)), _workspace);
        _head?.Forward(_pass, _workspace);
    }

    // The head's loss, its gradient, and that of the outputs it looks at.
    private void Classify(HeadPass head, Tensor gradient)
    {
        int rows = _plan.RowsOf(_shard);
        ReadOnlySpan<int> labels = _input.Labels(_shard);
        for (int i = 0; i < rows; i++)
        {
            _classes[i] = labels[i];
        }

        Tensor classOfRow = _workspace.Rent(rows, 1), logitsGradient = _workspace.Rent(rows, head.Logits.Columns);
        _backend.Upload(_classes.AsSpan(0, rows), classOfRow);
        _backend.SoftmaxCrossEntropy(head.Logits, classOfRow, Rows(_losses.CrossEntropy), logitsGradient);
        _backend.Copy(head.Logits, Rows(_losses.Logits));
        _backend.Axpby(0, logitsGradient, _objective.ClassWeight / _plan.Batch, logitsGradient);
        _turns?.Await(HeadPart, _shard);
        head.Backward(logitsGradient, gradient, _workspace);
        _turns?.Pass(HeadPart, _shard);
    }

    private Tensor Rows(Tensor ofBatch) => ofBatch.RowRange(_plan.FirstRow(_shard), _plan.RowsOf(_shard));
}
