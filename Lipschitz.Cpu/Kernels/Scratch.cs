using System.Numerics;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Working memory of the calling thread, grown and then kept: a repeated kernel call allocates nothing.</summary>
/// <remarks>There are several slots because a product may hold a packed left factor, a packed right factor and a tile at once.</remarks>
internal static unsafe class Scratch<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [ThreadStatic]
    private static HostBuffer<T>?[]? s_buffers;

    /// <summary>At least <paramref name="length"/> numbers with arbitrary contents, until this thread rents the slot again.</summary>
    public static T* Rent(ScratchSlot slot, nint length)
    {
        HostBuffer<T>?[] buffers = s_buffers ??= new HostBuffer<T>?[(int)ScratchSlot.Count];
        HostBuffer<T>? buffer = buffers[(int)slot];
        if (buffer is null || buffer.Length < length)
        {
            buffer = buffers[(int)slot] = new HostBuffer<T>(checked((int)(length + (length / 4) + 1024)));
        }

        return (T*)buffer.Address;
    }
}

/// <summary>What scratch memory is for.</summary>
internal enum ScratchSlot
{
    Left,
    Right,
    Result,
    Vector,
    Picture,
    Pixels,
    Images,
    Weight,
    Adjoint,
    Operand,
    Count,
}
