using System.Collections.Concurrent;
using System.Numerics;

namespace Lipschitz.Cuda.Runtime;

/// <summary>
/// Keeps memory of the device for reuse: released blocks wait in a list of their size. A block that is released goes to the next who asks although
/// kernels that use it may still be queued, since whatever the next one queues runs behind them. Callers hold the queue's lock.
/// </summary>
/// <param name="allocate">Makes a block of so many bytes.</param>
/// <param name="free">Gives a block back.</param>
internal sealed class MemoryPool(Func<long, MemoryBlock> allocate, Action<MemoryBlock> free)
{
    private const int SmallestBits = 9; // 512 bytes
    private const int ClassCount = 8 * (64 - SmallestBits);

    private readonly Stack<MemoryBlock>?[] _waiting = new Stack<MemoryBlock>?[ClassCount];
    private readonly HashSet<MemoryBlock> _blocks = [];
    private readonly ConcurrentQueue<MemoryBlock> _dropped = new();

    /// <summary>Bytes rented, bytes held from the driver, and the most bytes ever rented at once.</summary>
    public MemoryUse Use { get; private set; }

    /// <summary>The size that a request is rounded up to: at most an eighth more, from 512 bytes on.</summary>
    public static long RoundUp(long bytes) => ClassBytes(ClassOf(bytes));

    /// <summary>A block of at least so many bytes, contents arbitrary.</summary>
    public MemoryBlock Rent(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Drain();
        int sizeClass = ClassOf(bytes);
        MemoryBlock block = _waiting[sizeClass] is { Count: > 0 } stack ? stack.Pop() : Grow(ClassBytes(sizeClass));
        block.IsRented = true;
        block.Ticket++;
        long rented = Use.Rented + block.Bytes;
        Use = Use with { Rented = rented, Peak = Math.Max(Use.Peak, rented) };
        return block;
    }

    /// <summary>Takes back what was rented under that ticket.</summary>
    /// <exception cref="InvalidOperationException">It was released before.</exception>
    public void Release(MemoryBlock block, int ticket)
    {
        if (!block.IsRented || block.Ticket != ticket)
        {
            throw new InvalidOperationException($"Device memory of {block.Bytes} bytes was released twice.");
        }

        if (!_blocks.Contains(block))
        {
            return; // the pool was emptied since
        }

        block.IsRented = false;
        Use = Use with { Rented = Use.Rented - block.Bytes };
        Offer(block);
    }

    /// <summary>The block that an address lies in; null if none. Looks at every block.</summary>
    public MemoryBlock? Find(nint address)
    {
        foreach (MemoryBlock block in _blocks)
        {
            if (address >= block.Address && address < block.Address + block.Bytes)
            {
                return block;
            }
        }

        return null;
    }

    /// <summary>Takes back a block from a graph that was destroyed.</summary>
    public void Unpin(MemoryBlock block)
    {
        block.Graphs--;
        if (!block.IsRented && _blocks.Contains(block))
        {
            Offer(block);
        }
    }

    /// <summary>As release, but from a finaliser: takes no lock and calls no driver; the block comes back with the next rent.</summary>
    public void Drop(MemoryBlock block) => _dropped.Enqueue(block);

    /// <summary>Takes back what finalisers dropped.</summary>
    public void Drain()
    {
        while (_dropped.TryDequeue(out MemoryBlock? block))
        {
            Release(block, block.Ticket);
        }
    }

    /// <summary>Gives all blocks that nobody uses back to the driver. Nothing queued may use them any more.</summary>
    public void Trim()
    {
        foreach (Stack<MemoryBlock>? stack in _waiting)
        {
            while (stack is { Count: > 0 })
            {
                GiveBack(stack.Pop());
            }
        }
    }

    /// <summary>Gives every block back, rented or not.</summary>
    public void Clear()
    {
        Array.Clear(_waiting);
        foreach (MemoryBlock block in _blocks.ToArray())
        {
            GiveBack(block);
        }

        Use = Use with { Rented = 0 };
    }

    private static int ClassOf(long bytes)
    {
        long last = Math.Max(bytes, 1L << SmallestBits) - 1;
        int bits = BitOperations.Log2((ulong)last); // 2^bits <= last < 2^(bits + 1)
        int eighth = (int)((last >> (bits - 3)) & 7); // of that range, in which it lies
        return (8 * (bits - SmallestBits + 1)) + eighth;
    }

    private static long ClassBytes(int sizeClass)
    {
        int bits = (sizeClass / 8) + SmallestBits - 1;
        return (9L + (sizeClass % 8)) << (bits - 3);
    }

    private void Offer(MemoryBlock block)
    {
        if (block.Graphs == 0)
        {
            (_waiting[ClassOf(block.Bytes)] ??= new Stack<MemoryBlock>()).Push(block);
        }
    }

    private MemoryBlock Grow(long bytes)
    {
        MemoryBlock block = allocate(bytes);
        _blocks.Add(block);
        Use = Use with { Held = Use.Held + block.Bytes };
        return block;
    }

    private void GiveBack(MemoryBlock block)
    {
        _blocks.Remove(block);
        Use = Use with { Held = Use.Held - block.Bytes };
        free(block);
    }
}

/// <summary>A pool's state, in bytes.</summary>
/// <param name="Rented">In use.</param>
/// <param name="Held">In use or waiting for reuse.</param>
/// <param name="Peak">The most that was ever in use at once.</param>
internal readonly record struct MemoryUse(long Rented, long Held, long Peak);
