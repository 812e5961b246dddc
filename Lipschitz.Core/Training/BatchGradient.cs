using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>
/// The gradient of a batch with respect to the effective weights, summed over its shards in order: of small models each shard has a gradient of
/// its own and these are added up at the end; of large ones the shards add to one gradient in turns.
/// </summary>
internal sealed class BatchGradient
{
    private const int ReductionColumns = 8192;
    private readonly IBackend _backend;
    private readonly BatchPlan _plan;
    private readonly GradientTurns? _turns;
    private readonly Tensor[] _gradients;
    private readonly ShardWorker[] _workers;
    private readonly int[] _free; // the numbers of the workers that are not at work, for those who take turns
    private readonly Action<int> _runShard;
    private readonly Action<int> _reduce;
    private int _freeCount;
    private ulong _seed;
    private uint _step;

    public BatchGradient(Flow flow, LogDetEstimator estimator, IPointSource data, Objective objective, Configuration configuration)
    {
        _backend = flow.Backend;
        int columns = flow.Trained.Values.Columns;
        long bytes = (long)columns * (_backend.Precision == Precision.Float32 ? sizeof(float) : sizeof(double));
        _plan = BatchPlan.Of(configuration.Training.Batch, flow.ShardRows, bytes);
        Input = new BatchInput(_backend, data, _plan, objective.HasClasses);
        Losses = new BatchLosses(_backend, _plan, objective, flow.Head?.Classes ?? 0);
        bool takesTurns = _plan.Gradients < _plan.Shards;
        _turns = takesTurns ? new GradientTurns(flow.Bijections.Count + 1) : null;
        _gradients = [.. Enumerable.Range(0, _plan.Gradients).Select(_ => _backend.Allocate(1, columns))];
        int workers = takesTurns ? Math.Min(_backend.Threads, _plan.Shards) : _plan.Shards;
        _workers = [.. Enumerable.Range(0, workers).Select(
            _ => new ShardWorker(flow, estimator, configuration, objective, _plan, _turns, Input, Losses))];
        _free = new int[workers];
        _runShard = takesTurns ? RunInTurns : RunAlone;
        _reduce = Reduce;
    }

    /// <summary>The flat gradient [1, n].</summary>
    public Tensor Value => _gradients[0];

    /// <summary>The rows.</summary>
    public BatchInput Input { get; }

    /// <summary>What the last step found for each row.</summary>
    public BatchLosses Losses { get; }

    /// <summary>Finds the gradient and the losses at one step's batch; does not wait for a device.</summary>
    public void Run(ulong seed, uint step)
    {
        (_seed, _step, _freeCount) = (seed, step, _free.Length);
        for (int i = 0; i < _free.Length; i++)
        {
            _free[i] = i;
        }

        if (_turns is not null)
        {
            _turns.Reset();
            _backend.Fill(Value, 0);
        }

        Input.Take(seed, step);
        _backend.Parallel(_plan.Shards, _runShard);
        if (_gradients.Length > 1)
        {
            _backend.Parallel((Value.Columns + ReductionColumns - 1) / ReductionColumns, _reduce);
        }
    }

    /// <summary>What is not finite in the first shard at fault of the last run; null where all losses are finite. Losses must have been read.</summary>
    public string? Fault() => Losses.FirstNonFinite() is var shard && shard < 0 ? null : _workers[0].DescribeNonFinite(_seed, _step, shard);

    private void RunAlone(int shard)
    {
        _backend.Fill(_gradients[shard], 0);
        _workers[shard].Run(_seed, _step, shard, _gradients[shard]);
    }

    // Shards are started in order, so that the one that another waits for is always at work.
    private void RunInTurns(int shard)
    {
        if (_turns!.IsAbandoned)
        {
            return;
        }

        int worker;
        lock (_free)
        {
            worker = _free[--_freeCount];
        }

        try
        {
            _workers[worker].Run(_seed, _step, shard, Value);
        }
        catch
        {
            _turns.Abandon();
            throw;
        }

        lock (_free)
        {
            _free[_freeCount++] = worker;
        }
    }

    private void Reduce(int part)
    {
        int start = part * ReductionColumns;
        int columns = Math.Min(ReductionColumns, Value.Columns - start);
        Tensor sum = Value.ColumnRange(start, columns);
        for (int i = 1; i < _gradients.Length; i++)
        {
            _backend.Axpby(1, _gradients[i].ColumnRange(start, columns), 1, sum);
        }
    }
}
