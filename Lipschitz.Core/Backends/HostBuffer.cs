using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lipschitz.Tensors;

namespace Lipschitz.Backends;

/// <summary>A buffer in the memory of this process: pinned, so that kernels may hold its address, and aligned to 64 bytes.</summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed class HostBuffer<T> : DeviceBuffer
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int AlignmentBytes = 64;
    private readonly T[] _memory;
    private readonly int _start;

    /// <summary>Allocates <paramref name="length"/> zeros.</summary>
    public HostBuffer(int length)
        : base(typeof(T) == typeof(float) ? Precision.Float32 : Precision.Float64, length)
    {
        int size = Unsafe.SizeOf<T>();
        _memory = GC.AllocateArray<T>(length + (AlignmentBytes / size), pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0);
        _start = (int)((AlignmentBytes - (address % AlignmentBytes)) % AlignmentBytes) / size;
    }

    /// <summary>All elements.</summary>
    public Span<T> Span => _memory.AsSpan(_start, Length);

    /// <summary>The address of element 0; valid while this object lives.</summary>
    public nint Address => Marshal.UnsafeAddrOfPinnedArrayElement(_memory, _start);
}
