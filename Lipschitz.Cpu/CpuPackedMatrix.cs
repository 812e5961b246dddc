using System.Numerics;
using Lipschitz.Backends;
using Lipschitz.Cpu.Kernels;

namespace Lipschitz.Cpu;

/// <summary>A right factor and its memory.</summary>
internal sealed unsafe class CpuPackedMatrix<T> : PackedMatrix
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly HostBuffer<T> _buffer;

    public CpuPackedMatrix(int inner, int columns, int width, int lanes)
        : base(inner, columns)
    {
        _buffer = new HostBuffer<T>(PackedPanels<T>.Length(inner, columns, width, lanes));
        Panels = new((T*)_buffer.Address, inner, columns, width, lanes);
    }

    /// <summary>The memory as kernels see it; valid while this object lives.</summary>
    public PackedPanels<T> Panels { get; }
}
