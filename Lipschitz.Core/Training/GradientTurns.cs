namespace Lipschitz.Training;

/// <summary>
/// Lets shards that are worked on at the same time add to one gradient in their order: at each bijection, shard k + 1 waits until shard k has added
/// its part. So the sum has the same bits whatever the number of threads, and its memory does not grow with them.
/// </summary>
/// <remarks>
/// Shards take equally long and start one after the other, so a shard waits when the step begins, until it is one bijection behind the one before
/// it, and hardly again. Whoever works on shard k must have started before anybody works on shard k + 1.
/// </remarks>
/// <param name="parts">The bijections, and the head where there is one.</param>
internal sealed class GradientTurns(int parts)
{
    private readonly int[] _next = new int[parts]; // the shard whose turn it is
    private volatile bool _isAbandoned;

    /// <summary>Whether a shard has failed, so that the gradient is of no use any more and nobody waits.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>Before a step.</summary>
    public void Reset()
    {
        Array.Clear(_next);
        _isAbandoned = false;
    }

    /// <summary>Waits for a shard's turn at a part.</summary>
    public void Await(int part, int shard)
    {
        var spinner = default(SpinWait);
        while (Volatile.Read(ref _next[part]) != shard && !_isAbandoned)
        {
            spinner.SpinOnce();
        }
    }

    /// <summary>Ends a shard's turn at a part.</summary>
    public void Pass(int part, int shard) => Volatile.Write(ref _next[part], shard + 1);

    /// <summary>Ends all waiting.</summary>
    public void Abandon() => _isAbandoned = true;
}
