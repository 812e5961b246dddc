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

    public BatchGradient(Flow flow, LogDetEstimator estimator, IPointSource data, Configuration configuration)
    {
        _backend = flow.Backend;
        int columns = flow.Trained.Values.Columns;
        long bytes = (long)columns * (_backend.Precision == Precision.Float32 ? sizeof(float) : sizeof(double));
        _plan = BatchPlan.Of(configuration.Training.Batch, flow.ShardRows, bytes);
        Sums = new ShardSums[_plan.Shards];
        bool takesTurns = _plan.Gradients < _plan.Shards;
        _turns = takesTurns ? new GradientTurns(flow.Bijections.Count + 1) : null;
        _gradients = [.. Enumerable.Range(0, _plan.Gradients).Select(_ => _backend.Allocate(1, columns))];
        int workers = takesTurns ? Math.Min(_backend.Threads, _plan.Shards) : _plan.Shards;
        _workers = [.. Enumerable.Range(0, workers).Select(
            _ => new ShardWorker(flow, estimator, data, configuration, _plan, _turns, Sums))];
        _free = new int[workers];
        _runShard = takesTurns ? RunInTurns : RunAlone;
        _reduce = Reduce;
    }

    /// <summary>The flat gradient [1, n].</summary>
    public Tensor Value => _gradients[0];

    /// <summary>What the last step found in each shard.</summary>
    public ShardSums[] Sums { get; }

    /// <summary>Finds the gradient at one step's batch.</summary>
    /// <returns>What is not finite, of the first rows at fault; null where all is.</returns>
    public string? Run(ulong seed, uint step)
    {
        (_seed, _step, _freeCount) = (seed, step, _free.Length);
        for (int i = 0; i < _free.Length; i++)
        {
            _free[i] = i;
        }

        foreach (ShardWorker worker in _workers)
        {
            worker.Reset();
        }

        if (_turns is not null)
        {
            _turns.Reset();
            _backend.Fill(Value, 0);
        }

        _backend.Parallel(_plan.Shards, _runShard);
        ShardWorker? failed = null;
        foreach (ShardWorker worker in _workers)
        {
            if (worker.FailedShard >= 0 && (failed is null || worker.FailedShard < failed.FailedShard))
            {
                failed = worker;
            }
        }

        if (failed is null && _gradients.Length > 1)
        {
            _backend.Parallel((Value.Columns + ReductionColumns - 1) / ReductionColumns, _reduce);
        }

        return failed?.DescribeNonFinite();
    }

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

        // A worker that has failed keeps what it can say about it.
        if (_workers[worker].FailedShard < 0)
        {
            lock (_free)
            {
                _free[_freeCount++] = worker;
            }
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
