using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <content>Device memory.</content>
internal sealed unsafe partial class CudaContext
{
    /// <summary>Memory for temporaries of one call, at least <paramref name="bytes"/> (contents arbitrary), 256-byte aligned.</summary>
    /// <remarks>
    /// Released by Dispose as soon as the last kernel that uses it is queued: whoever gets it next queues behind. So use is
    /// <c>using Scratch s = context.Rent(n); ...</c>.
    /// While a <see cref="CudaRecording"/> runs it comes from that recording's own memory.
    /// </remarks>
    public Scratch Rent(long bytes)
    {
        using Lock.Scope scope = Enter();
        MemoryPool pool = _recording?.Arena ?? _pool;
        return new Scratch(this, pool, pool.Rent(bytes));
    }

    /// <summary>Queues bytes &lt;- 0.</summary>
    public void Clear(nint address, long bytes)
    {
        using Lock.Scope scope = Enter();
        if (bytes > 0)
        {
            Pin(address);
            Check(Driver.MemsetD8(address, 0, checked((nuint)bytes), _stream), "cuMemsetD8Async");
        }
    }

    /// <summary>Queues view &lt;- 0.</summary>
    public void Clear(DeviceView view)
    {
        using Lock.Scope scope = Enter();
        bool isGapless = view.Stride == view.Columns;
        int rows = isGapless ? Math.Min(view.Rows, 1) : view.Rows;
        long bytes = (isGapless ? (long)view.Rows * view.Columns : view.Columns) * sizeof(float);
        for (int row = 0; row < rows; row++)
        {
            Clear(view.Data + ((nint)row * view.Stride * sizeof(float)), bytes);
        }
    }

    internal void Release(MemoryPool pool, MemoryBlock block, int ticket)
    {
        lock (_queue)
        {
            pool.Release(block, ticket);
        }
    }

    /// <summary>Memory of zeros for a buffer of so many numbers.</summary>
    internal (MemoryPool Pool, MemoryBlock Block) Allocate(int length)
    {
        using Lock.Scope scope = Enter();
        _recording?.Refuse("it allocates memory, whose zeros would be written by each replay");
        MemoryBlock block = _pool.Rent((long)length * sizeof(float));
        try
        {
            Clear(block.Address, (long)length * sizeof(float));
        }
        catch
        {
            _pool.Release(block, block.Ticket);
            throw;
        }

        return (_pool, block);
    }

    private MemoryBlock AllocateBlock(long bytes)
    {
        int status = TryAllocate(bytes, out nint address);
        if (status == Driver.OutOfMemory && _recording is not { IsCapturing: true })
        {
            // What waits for reuse in other sizes goes back first; then what nobody uses but the collector has not seen.
            Check(Driver.StreamSynchronize(_stream), "cuStreamSynchronize");
            _pool.Trim();
            status = TryAllocate(bytes, out address);
            if (status == Driver.OutOfMemory)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                DestroyAbandoned();
                _pool.Drain();
                _pool.Trim();
                status = TryAllocate(bytes, out address);
            }
        }

        return status == Driver.Success ? new MemoryBlock(address, bytes) : throw CudaException.OfDriver(status, "cuMemAlloc", DescribeMemory(bytes));
    }

    private static int TryAllocate(long bytes, out nint address)
    {
        nint got = 0;
        int status = Driver.MemAlloc(&got, (nuint)bytes);
        address = got;
        return status;
    }

    private static void FreeBlock(MemoryBlock block) => Check(Driver.MemFree(block.Address), "cuMemFree");

    private string DescribeMemory(long wanted)
    {
        nuint free = 0;
        nuint total = 0;
        _ = Driver.MemGetInfo(&free, &total); // only words for a message
        return $"{MiB(wanted)} wanted, {MiB(_pool.Use.Rented)} in use here, {MiB((long)free)} of {MiB((long)total)} free on {DeviceName}";
    }

    private static string MiB(long bytes) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB");
}
