namespace Lipschitz.Training;

/// <summary>
/// How a batch is cut into shards, and how these share gradients: gradient a adds up the shards a, a + Gradients, .. in this order. A function of
/// model and batch alone, so that sums have the same bits whatever the number of threads.
/// </summary>
/// <param name="Batch">Rows.</param>
/// <param name="Shards">Shards; all but the last have <see cref="Rows"/> rows.</param>
/// <param name="Rows">Rows of a shard.</param>
/// <param name="Gradients">One a shard, or one for all.</param>
internal readonly record struct BatchPlan(int Batch, int Shards, int Rows, int Gradients)
{
    // A gradient a shard lets shards run without waiting for each other; of large models it would fill the memory.
    private const long MostBytes = 64L << 20;

    /// <summary>Cuts a batch.</summary>
    /// <param name="batch">Rows, at least 1.</param>
    /// <param name="shardRows">The most rows of a shard.</param>
    /// <param name="gradientBytes">The memory of one gradient.</param>
    public static BatchPlan Of(int batch, int shardRows, long gradientBytes)
    {
        // As few shards as fit, of equal size: the slowest thread sets the time of a step.
        int least = (batch + shardRows - 1) / shardRows;
        int rows = (batch + least - 1) / least;
        int shards = (batch + rows - 1) / rows;
        return new BatchPlan(batch, shards, rows, shards * gradientBytes <= MostBytes ? shards : 1);
    }

    /// <summary>The first row of a shard.</summary>
    public int FirstRow(int shard) => shard * Rows;

    /// <summary>The rows of a shard.</summary>
    public int RowsOf(int shard) => Math.Min(Rows, Batch - FirstRow(shard));
}
