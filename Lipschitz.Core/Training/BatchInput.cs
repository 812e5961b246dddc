using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Randomness;

namespace Lipschitz.Training;

/// <summary>
/// The rows of a step's batch on the host, with labels where the data has them, and those of the next step, drawn while a device works on this one.
/// </summary>
internal sealed class BatchInput
{
    private readonly IBackend _backend;
    private readonly IPointSource _data;
    private readonly BatchPlan _plan;
    private readonly Slot[] _slots; // of even and of odd steps
    private readonly Action<int> _sample;
    private Slot _current;
    private Slot _drawn; // by _sample
    private RandomKey _key; // of its rows

    public BatchInput(IBackend backend, IPointSource data, BatchPlan plan, bool hasClasses)
    {
        (_backend, _data, _plan) = (backend, data, plan);
        _slots = [new Slot(plan.Batch, data.Width, hasClasses), new Slot(plan.Batch, data.Width, hasClasses)];
        _current = _drawn = _slots[0];
        _sample = Sample;
    }

    /// <summary>Goes to the rows of a step, drawing them unless that was done ahead. They are a function of seed and step alone.</summary>
    public void Take(ulong seed, uint step)
    {
        DrawAhead(seed, step);
        _current = _slots[step % 2];
    }

    /// <summary>Draws the rows of the next step; those of the current one stay.</summary>
    public void DrawAhead(ulong seed, uint step)
    {
        var key = new RandomKey(seed, RandomPurpose.TrainingData, step);
        _drawn = _slots[step % 2];
        if (_drawn.Key != key)
        {
            // Without a key until all rows are there: a source may fail, and be asked again.
            (_drawn.Key, _key) = (null, key);
            _backend.Parallel(_plan.Shards, _sample);
            _drawn.Key = key;
        }
    }

    /// <summary>The rows of a shard, row by row.</summary>
    public ReadOnlySpan<double> Points(int shard) => _current.Points.AsSpan(_plan.FirstRow(shard) * _data.Width, _plan.RowsOf(shard) * _data.Width);

    /// <summary>The classes of a shard's rows.</summary>
    public ReadOnlySpan<int> Labels(int shard) => _current.Labels.AsSpan(_plan.FirstRow(shard), _plan.RowsOf(shard));

    private void Sample(int shard)
    {
        int first = _plan.FirstRow(shard), rows = _plan.RowsOf(shard);
        _data.Sample(_key, first, _drawn.Points.AsSpan(first * _data.Width, rows * _data.Width));
        if (_drawn.Labels.Length > 0)
        {
            ((ILabelledSource)_data).Labels(_key, first, _drawn.Labels.AsSpan(first, rows));
        }
    }

    private sealed class Slot(int rows, int width, bool hasClasses)
    {
        public RandomKey? Key { get; set; }

        public double[] Points { get; } = new double[rows * width];

        public int[] Labels { get; } = new int[hasClasses ? rows : 0];
    }
}
