namespace Lipschitz.Training;

/// <summary>
/// How a batch is cut into shards, and how shards share gradients: lane a adds up the shards a, a + Lanes, .. in this order. A function of
/// model and batch alone, so that sums have the same bits whatever the number of threads.
/// </summary>
/// <param name="Batch">Rows.</param>
/// <param name="Shards">Shards; all but the last have <see cref="Rows"/> rows.</param>
/// <param name="Rows">Rows of a shard.</param>
/// <param name="Lanes">Gradients, and so the largest number of threads a step can use.</param>
internal readonly record struct BatchPlan(int Batch, int Shards, int Rows, int Lanes)
{
    // Adding up gradients costs time and memory in proportion to the lanes: small models get one for each shard.
    private const long BytesOfAllLanes = 64L << 20;
    private const int LeastLanes = 2;

    /// <summary>Cuts a batch.</summary>
    /// <param name="batch">Rows, at least 1.</param>
    /// <param name="shardRows">The most rows of a shard.</param>
    /// <param name="gradientBytes">The memory of one gradient.</param>
    /// <param name="lanes">The lanes asked for; 0 to choose them.</param>
    public static BatchPlan Of(int batch, int shardRows, long gradientBytes, int lanes)
    {
        // As few shards as fit, of equal size: the slowest thread sets the time of a step.
        int least = (batch + shardRows - 1) / shardRows;
        int rows = (batch + least - 1) / least;
        int shards = (batch + rows - 1) / rows;
        long chosen = lanes > 0 ? lanes : Math.Max(BytesOfAllLanes / Math.Max(gradientBytes, 1), LeastLanes);
        return new BatchPlan(batch, shards, rows, (int)Math.Min(chosen, shards));
    }

    /// <summary>The first row of a shard.</summary>
    public int FirstRow(int shard) => shard * Rows;

    /// <summary>The rows of a shard.</summary>
    public int RowsOf(int shard) => Math.Min(Rows, Batch - FirstRow(shard));
}
