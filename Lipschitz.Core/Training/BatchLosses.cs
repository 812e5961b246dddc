using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>
/// What a step finds for each row of its batch: shards write it where the backend computes, and it is read once, when the whole gradient is
/// made, so that a device is not waited for in between.
/// </summary>
internal sealed class BatchLosses
{
    private readonly IBackend _backend;
    private readonly BatchPlan _plan;
    private readonly Objective _objective;
    private readonly int _classes;
    private readonly double[] _density;
    private readonly double[] _crossEntropy;
    private readonly double[] _logits;

    public BatchLosses(IBackend backend, BatchPlan plan, Objective objective, int classes)
    {
        (_backend, _plan, _objective, _classes) = (backend, plan, objective, objective.HasClasses ? classes : 0);
        int densityRows = objective.HasDensity ? plan.Batch : 0, classRows = objective.HasClasses ? plan.Batch : 0;
        (LogProb, CrossEntropy, Logits) =
            (backend.Allocate(densityRows, 1), backend.Allocate(classRows, 1), backend.Allocate(classRows, _classes));
        (_density, _crossEntropy, _logits) = (new double[densityRows], new double[classRows], new double[classRows * _classes]);
    }

    /// <summary>log p of each row [Batch, 1] in nats; empty without a density.</summary>
    public Tensor LogProb { get; }

    /// <summary>-log softmax of the right class of each row [Batch, 1] in nats; empty without classes.</summary>
    public Tensor CrossEntropy { get; }

    /// <summary>[Batch, classes]; empty without classes.</summary>
    public Tensor Logits { get; }

    /// <summary>Waits for all shards and reads what they found.</summary>
    public void Read()
    {
        _backend.Download(LogProb, _density);
        _backend.Download(CrossEntropy, _crossEntropy);
        _backend.Download(Logits, _logits);
    }

    /// <summary>The first shard whose loss is not finite, as read last; -1 where all are.</summary>
    public int FirstNonFinite()
    {
        for (int shard = 0; shard < _plan.Shards; shard++)
        {
            if (!double.IsFinite(Sum(_density, shard)) || !double.IsFinite(Sum(_crossEntropy, shard)))
            {
                return shard;
            }
        }

        return -1;
    }

    /// <summary>The means over the batch, as read last; shard by shard, so that they have the same bits whatever the number of threads. input has the labels.</summary>
    public StepReport Report(BatchInput input, long step, double gradientNorm, double rate)
    {
        double density = 0, classes = 0;
        int correct = 0;
        for (int shard = 0; shard < _plan.Shards; shard++)
        {
            density += -Sum(_density, shard) / _plan.Batch;
            classes += Sum(_crossEntropy, shard) / _plan.Batch;
            correct += _objective.HasClasses ? Correct(shard, input.Labels(shard)) : 0;
        }

        return new StepReport(step, _objective.Loss(density, classes), gradientNorm, rate)
        {
            NegativeLogLikelihood = _objective.HasDensity ? density : null,
            CrossEntropy = _objective.HasClasses ? classes : null,
            Accuracy = _objective.HasClasses ? (double)correct / _plan.Batch : null,
        };
    }

    private int Correct(int shard, ReadOnlySpan<int> labels)
    {
        int first = _plan.FirstRow(shard), correct = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            correct += FlowTest.Largest(_logits.AsSpan((first + i) * _classes, _classes)) == labels[i] ? 1 : 0;
        }

        return correct;
    }

    private double Sum(double[] values, int shard)
    {
        double sum = 0;
        foreach (double value in values.Length == 0 ? [] : values.AsSpan(_plan.FirstRow(shard), _plan.RowsOf(shard)))
        {
            sum += value;
        }

        return sum;
    }
}
