using System.Numerics;
using Lipschitz.Backends;

namespace Lipschitz.Cpu;

/// <summary>A right factor in the order of memory in which the kernels of one SIMD width read it.</summary>
/// <remarks>
/// Wide: panels [panel][inner][width], the last one filled up with zeros, so that a kernel reads whole registers side by side.
/// Narrow (up to four columns): pairs of columns, each column contiguous and filled up with zeros, for dot products along the rows of the left factor.
/// </remarks>
internal sealed unsafe class CpuPackedMatrix<T> : PackedMatrix
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int NarrowColumns = 4;
    private readonly HostBuffer<T> _buffer;

    public CpuPackedMatrix(int inner, int columns, int width, int lanes)
        : base(inner, columns)
    {
        Width = width;
        IsNarrow = columns <= NarrowColumns && inner > 2;
        ColumnStride = (inner + lanes - 1) / lanes * lanes;
        int length = IsNarrow ? (columns + 1) / 2 * 2 * ColumnStride : (columns + width - 1) / width * width * inner;
        _buffer = new HostBuffer<T>(length);
    }

    /// <summary>Columns of a panel.</summary>
    public int Width { get; }

    /// <summary>Whether the columns are stored one after the other.</summary>
    public bool IsNarrow { get; }

    /// <summary>Distance between two columns of a narrow matrix.</summary>
    public int ColumnStride { get; }

    /// <summary>The first number; valid while this object lives.</summary>
    public T* Data => (T*)_buffer.Address;
}
