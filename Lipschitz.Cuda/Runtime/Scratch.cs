namespace Lipschitz.Cuda.Runtime;

/// <summary>Rented device memory; see <see cref="CudaContext.Rent"/>.</summary>
internal readonly struct Scratch(CudaContext context, MemoryPool pool, MemoryBlock block) : IDisposable
{
    private readonly int _ticket = block.Ticket; // so that a second Dispose is noticed

    /// <summary>The first byte.</summary>
    public nint Address { get; } = block.Address;

    /// <inheritdoc/>
    public void Dispose() => context?.Release(pool, block, _ticket);
}
