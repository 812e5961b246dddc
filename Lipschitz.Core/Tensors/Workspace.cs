using Lipschitz.Backends;

namespace Lipschitz.Tensors;

/// <summary>
/// The temporaries of one shard: a stack of views into a few large buffers, so that a repeated step allocates nothing.
/// </summary>
/// <remarks>Not thread-safe: each shard has its own. Rented memory holds arbitrary numbers.</remarks>
public sealed class Workspace
{
    private const int Alignment = 16; // elements: one cache line of float32, two of float64
    private readonly IBackend _backend;
    private readonly List<DeviceBuffer> _blocks = [];
    private int _block;
    private int _used;

    /// <summary>Makes an empty workspace whose memory comes from <paramref name="backend"/>.</summary>
    public Workspace(IBackend backend) => _backend = backend;

    /// <summary>Elements allocated so far, used or not.</summary>
    public long Capacity => _blocks.Sum(block => (long)block.Length);

    /// <summary>The present top of the stack, for <see cref="Release"/>.</summary>
    public WorkspaceMark Mark() => new(_block, _used);

    /// <summary>Gives back everything rented since <paramref name="mark"/>.</summary>
    public void Release(WorkspaceMark mark) => (_block, _used) = (mark.Block, mark.Used);

    /// <summary>Gives back everything.</summary>
    public void Reset() => (_block, _used) = (0, 0);

    /// <summary>A contiguous view of the given size with arbitrary contents, valid until released.</summary>
    public Tensor Rent(int rows, int columns)
    {
        int length = checked(rows * columns);
        int padded = checked((length + Alignment - 1) / Alignment * Alignment);
        while (_block < _blocks.Count && _used + padded > _blocks[_block].Length)
        {
            _block++;
            _used = 0;
        }

        if (_block == _blocks.Count)
        {
            _blocks.Add(_backend.AllocateBuffer(Math.Max(padded, 1 << 18)));
            _used = 0;
        }

        var tensor = new Tensor(_blocks[_block], _used, rows, columns, columns);
        _used += padded;
        return tensor;
    }
}

/// <summary>A position in a <see cref="Workspace"/>.</summary>
public readonly record struct WorkspaceMark(int Block, int Used);
