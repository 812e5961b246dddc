namespace Lipschitz.Cuda.Runtime;

/// <summary>One device in use by one backend: its primary context, one stream, memory and kernels. Calls may come from any thread.</summary>
internal sealed class CudaContext : IDisposable
{
    /// <summary>Opens device <paramref name="device"/>.</summary>
    public static CudaContext Open(int device) => throw new NotImplementedException();

    /// <summary>The device's name.</summary>
    public string DeviceName => throw new NotImplementedException();

    /// <summary>Its number of multiprocessors.</summary>
    public int Multiprocessors => throw new NotImplementedException();

    /// <summary>
    /// Queues a kernel. Nothing is queued where the grid has no block. Sizes of arguments are checked against the kernel's parameters (read from the PTX).
    /// </summary>
    public void Launch(string kernel, Grid grid, params ReadOnlySpan<Argument> arguments) => throw new NotImplementedException();

    /// <summary>Queues a kernel whose blocks wait for each other (all must be resident at once); see <see cref="CooperativeBlocks"/>.</summary>
    public void LaunchCooperative(string kernel, Grid grid, params ReadOnlySpan<Argument> arguments) => throw new NotImplementedException();

    /// <summary>The most blocks of so many threads of a kernel that are resident on the whole device at once.</summary>
    public int CooperativeBlocks(string kernel, int threads) => throw new NotImplementedException();

    /// <summary>Memory for temporaries of one call, at least <paramref name="bytes"/> (contents arbitrary), 256-byte aligned, from the caching allocator.</summary>
    /// <remarks>
    /// Released by Dispose as soon as the last kernel that uses it is queued: whoever gets it next queues behind. So use is <c>using Scratch s = context.Rent(n); ...</c>.
    /// </remarks>
    public Scratch Rent(long bytes) => throw new NotImplementedException();

    /// <summary>Queues bytes &lt;- 0.</summary>
    public void Clear(nint address, long bytes) => throw new NotImplementedException();

    /// <summary>Queues a copy of host numbers to a view (through pinned memory; returns at once, source may be changed afterwards).</summary>
    public void Upload(ReadOnlySpan<float> source, DeviceView destination) => throw new NotImplementedException();

    /// <summary>Copies a view to the host, row by row; waits for the queue.</summary>
    public void Download(DeviceView source, Span<float> destination) => throw new NotImplementedException();

    /// <summary>Waits for everything queued.</summary>
    public void Synchronize() => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>Rented device memory; see <see cref="CudaContext.Rent"/>.</summary>
internal readonly struct Scratch(CudaContext context, nint address) : IDisposable
{
    private readonly CudaContext _context = context;

    /// <summary>The first byte.</summary>
    public nint Address { get; } = address;

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException(_context?.ToString());
}
