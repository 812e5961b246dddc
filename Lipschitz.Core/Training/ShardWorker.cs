using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>
/// Takes shards through a step, one at a time, forward and backward through the whole flow on one thread, adding to a gradient, without
/// allocating.
/// </summary>
internal sealed class ShardWorker : IGradientOrder
{
    private readonly IBackend _backend;
    private readonly IPointSource _data;
    private readonly FlowPass _pass;
    private readonly HeadPass? _head;
    private readonly Workspace _workspace;
    private readonly BatchPlan _plan;
    private readonly Objective _objective;
    private readonly GradientTurns? _turns;
    private readonly ShardSums[] _sums;
    private readonly double[] _points;
    private readonly double[] _rowValues;
    private readonly int[] _labels;
    private readonly double[] _logits;
    private int _shard;

    /// <summary>Makes a worker that writes into <paramref name="sums"/> what it finds in each shard.</summary>
    /// <param name="flow">The flow in training.</param>
    /// <param name="estimator">Its log-determinants.</param>
    /// <param name="data">Where rows come from.</param>
    /// <param name="configuration">What is minimised and how.</param>
    /// <param name="plan">The shards.</param>
    /// <param name="turns">Keeps workers that share a gradient in order; null for a worker with a gradient of its own.</param>
    /// <param name="sums">One entry a shard.</param>
    public ShardWorker(
        Flow flow, LogDetEstimator estimator, IPointSource data, Configuration configuration, BatchPlan plan, GradientTurns? turns, ShardSums[] sums)
    {
        (_backend, _data, _plan, _turns, _sums) = (flow.Backend, data, plan, turns, sums);
        _objective = Objective.Of(configuration.Task, data.Width);
        _pass = flow.CreatePass(estimator, configuration.Training.Recompute);
        _head = _objective.HasClasses ? flow.Head!.CreatePass() : null;
        _workspace = new Workspace(_backend);
        _points = new double[plan.Rows * data.Width];
        _rowValues = new double[plan.Rows];
        _labels = new int[_head is null ? 0 : plan.Rows];
        _logits = new double[_head is null ? 0 : plan.Rows * flow.Head!.Classes];
        HeadPart = flow.Bijections.Count;
    }

    /// <summary>The shard whose loss is not finite; -1 where there is none.</summary>
    public int FailedShard { get; private set; } = -1;

    private int HeadPart { get; }

    /// <summary>Forgets a failure.</summary>
    public void Reset() => FailedShard = -1;

    /// <summary>Works through a shard, adding to gradient (flat, effective weights).</summary>
    public void Run(ulong seed, uint step, int shard, Tensor gradient)
    {
        _shard = shard;
        RunShard(seed, step, gradient);
    }

    void IGradientOrder.Enter(int bijection) => _turns?.Await(bijection, _shard);

    void IGradientOrder.Leave(int bijection) => _turns?.Pass(bijection, _shard);

    /// <summary>What went wrong in <see cref="FailedShard"/>.</summary>
    public string DescribeNonFinite() =>
        _head is not null && _backend.AllFinite(_pass.Output) && !_backend.AllFinite(_head.Logits)
            ? "a logit of the classification head is not finite"
            : _pass.DescribeNonFinite(_plan.FirstRow(_shard));

    private void RunShard(ulong seed, uint step, Tensor gradient)
    {
        int rows = _plan.RowsOf(_shard), firstRow = _plan.FirstRow(_shard);
        var key = new RandomKey(seed, RandomPurpose.TrainingData, step);
        _workspace.Reset();
        Tensor x = _workspace.Rent(rows, _data.Width);
        Span<double> points = _points.AsSpan(0, rows * _data.Width);
        _data.Sample(key, firstRow, points);
        _backend.Upload(points, x);
        _pass.Forward(x, new DrawAddress(seed, step, 0, firstRow), _workspace);
        var sums = default(ShardSums);
        if (_objective.HasDensity)
        {
            Tensor logProb = _workspace.Rent(rows, 1);
            _pass.LogProb(logProb);
            sums.NegativeLogLikelihood = -Sum(logProb);
        }

        if (_head is not null)
        {
            Classify(_head, key, firstRow, gradient, ref sums);
        }

        _sums[_shard] = sums;
        if (!sums.IsFinite)
        {
            FailedShard = _shard;
            _turns?.Abandon();
            return;
        }

        _pass.BackwardNegativeLogLikelihood(
            _objective.DensityWeight / _plan.Batch, gradient, _workspace, _head is null ? default : _head.OutputGradients, this);
    }

    // The head's loss, its gradient, and that of the outputs it looks at.
    private void Classify(HeadPass head, RandomKey key, int firstRow, Tensor gradient, ref ShardSums sums)
    {
        int rows = _pass.Output.Rows;
        head.Forward(_pass, _workspace);
        Span<int> labels = _labels.AsSpan(0, rows);
        ((ILabelledSource)_data).Labels(key, firstRow, labels);
        for (int i = 0; i < rows; i++)
        {
            _rowValues[i] = labels[i];
        }

        int classes = head.Logits.Columns;
        Tensor classOfRow = _workspace.Rent(rows, 1), loss = _workspace.Rent(rows, 1), logitsGradient = _workspace.Rent(rows, classes);
        _backend.Upload(_rowValues.AsSpan(0, rows), classOfRow);
        _backend.SoftmaxCrossEntropy(head.Logits, classOfRow, loss, logitsGradient);
        sums.CrossEntropy = Sum(loss);
        Span<double> logits = _logits.AsSpan(0, rows * classes);
        _backend.Download(head.Logits, logits);
        for (int i = 0; i < rows; i++)
        {
            sums.Correct += FlowTest.Largest(logits.Slice(i * classes, classes)) == labels[i] ? 1 : 0;
        }

        _backend.Axpby(0, logitsGradient, _objective.ClassWeight / _plan.Batch, logitsGradient);
        _turns?.Await(HeadPart, _shard);
        head.Backward(logitsGradient, gradient, _workspace);
        _turns?.Pass(HeadPart, _shard);
    }

    private double Sum(Tensor column)
    {
        Span<double> values = _rowValues.AsSpan(0, column.Rows);
        _backend.Download(column, values);
        double sum = 0;
        foreach (double value in values)
        {
            sum += value;
        }

        return sum;
    }
}

/// <summary>What a step finds in one shard, added up over its rows.</summary>
internal struct ShardSums
{
    /// <summary>Of -log p(x), in nats.</summary>
    public double NegativeLogLikelihood;

    /// <summary>Of the cross entropy, in nats.</summary>
    public double CrossEntropy;

    /// <summary>Rows whose class has the largest logit.</summary>
    public int Correct;

    /// <summary>Whether both sums are finite.</summary>
    public readonly bool IsFinite => double.IsFinite(NegativeLogLikelihood) && double.IsFinite(CrossEntropy);
}
