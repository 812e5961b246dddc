using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>
/// A graph and all memory that its replays use. Its context holds it until it is destroyed or its recording is no longer referred to.
/// </summary>
internal sealed class CudaGraph(MemoryPool arena)
{
    private volatile bool _isAbandoned;

    /// <summary>The driver's executable graph; 0 until there is one.</summary>
    public nint Executable { get; set; }

    /// <summary>Device memory for temporaries.</summary>
    public MemoryPool Arena { get; } = arena;

    /// <summary>Blocks that hold the operands of what was captured.</summary>
    public HashSet<MemoryBlock> Blocks { get; } = [];

    /// <summary>Page-locked host memory that constants are copied from.</summary>
    public List<nint> Pinned { get; } = [];

    /// <summary>Whether it was destroyed.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Whether nobody can launch it any more.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>Called by the finaliser of its recording, which must not call the driver.</summary>
    public void Abandon() => _isAbandoned = true;

    /// <summary>Lets go of what the graph used, or would have used if it had come about.</summary>
    public void Forget(MemoryPool pool)
    {
        foreach (MemoryBlock block in Blocks)
        {
            pool.Unpin(block);
        }

        Blocks.Clear();
        foreach (nint address in Pinned)
        {
            PinnedMemory.Free(address);
        }

        Pinned.Clear();
    }

    /// <summary>Destroys the graph once the device is done with it. The caller holds the queue.</summary>
    public void Destroy(MemoryPool pool, nint stream)
    {
        if (IsDisposed)
        {
            return;
        }

        IsDisposed = true;
        int waited = Driver.StreamSynchronize(stream);
        int destroyed = Executable == 0 ? Driver.Success : Driver.GraphExecDestroy(Executable);
        Executable = 0;
        Arena.Clear();
        Forget(pool);
        CudaException.ThrowIfFailed(waited, "cuStreamSynchronize");
        CudaException.ThrowIfFailed(destroyed, "cuGraphExecDestroy");
    }
}
