namespace Lipschitz.Cuda.Runtime;

/// <summary>One allocation of the driver: a power of two, or that and some eighths more, in bytes. Belongs to one pool.</summary>
internal sealed class MemoryBlock(nint address, long bytes)
{
    /// <summary>The first byte; 256-byte aligned, which the driver promises.</summary>
    public nint Address { get; } = address;

    /// <summary>Its size.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>The number of times it was rented, by which a second release of the same rent is told from the release of a later one.</summary>
    public int Ticket { get; set; }

    /// <summary>Where one pool takes its blocks from another: the other's block.</summary>
    public MemoryBlock? Parent { get; init; }

    /// <summary>The number of graphs that use it. While there is one, nobody else gets it.</summary>
    public int Graphs { get; set; }

    /// <summary>Whether it is rented now.</summary>
    public bool IsRented { get; set; }
}
