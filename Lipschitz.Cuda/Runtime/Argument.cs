using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda.Runtime;

/// <summary>One argument of a kernel: its bytes and their number, so that a launch can be checked against the kernel's own parameters.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct Argument
{
    private readonly DeviceView _bytes; // first, so that its address is the argument's; 24 bytes of room, of which the first Size count

    private Argument(DeviceView bytes, int size) => (_bytes, Size) = (bytes, size);

    /// <summary>Bytes.</summary>
    public int Size { get; }

    /// <summary>The address it holds, if it is a view or an address; else anything.</summary>
    public nint Address => _bytes.Data;

    public static implicit operator Argument(Tensor tensor) => new(tensor, 24);

    public static implicit operator Argument(DeviceView view) => new(view, 24);

    public static implicit operator Argument(float value) => Of(value);

    public static implicit operator Argument(double value) => Of(value);

    public static implicit operator Argument(int value) => Of(value);

    public static implicit operator Argument(uint value) => Of(value);

    public static implicit operator Argument(long value) => Of(value);

    public static implicit operator Argument(ulong value) => Of(value);

    /// <summary>An address on the device.</summary>
    public static implicit operator Argument(nint value) => Of(value);

    private static Argument Of<T>(T value)
        where T : unmanaged
    {
        var bytes = default(DeviceView);
        Unsafe.As<DeviceView, T>(ref bytes) = value;
        return new Argument(bytes, Unsafe.SizeOf<T>());
    }
}
