using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lipschitz.Cuda.Interop;
using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests.Runtime;

public class BindingTests
{
    [Fact]
    public void The_symbols_asked_for_are_those_that_are_imported()
    {
        Assert.Equal(Imports(typeof(Driver)), Driver.Symbols.Order(StringComparer.Ordinal));
        Assert.Equal(Imports(typeof(Cublas)), Cublas.Symbols.Order(StringComparer.Ordinal));
        Assert.Equal(Imports(typeof(Cudnn)), Cudnn.Symbols.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Structs_have_the_layout_of_the_headers()
    {
        Assert.Equal(128, Unsafe.SizeOf<Driver.Copy2DParameters>());
        Assert.Equal(24, Offset<Driver.Copy2DParameters>(nameof(Driver.Copy2DParameters.SourceHost)));
        Assert.Equal(48, Offset<Driver.Copy2DParameters>(nameof(Driver.Copy2DParameters.SourcePitch)));
        Assert.Equal(80, Offset<Driver.Copy2DParameters>(nameof(Driver.Copy2DParameters.DestinationHost)));
        Assert.Equal(112, Offset<Driver.Copy2DParameters>(nameof(Driver.Copy2DParameters.WidthBytes)));
        Assert.Equal(48, Unsafe.SizeOf<Cudnn.Algorithm>());
        Assert.Equal(16, Offset<Cudnn.Algorithm>(nameof(Cudnn.Algorithm.Memory)));
        Assert.Equal(28, Offset<Cudnn.Algorithm>(nameof(Cudnn.Algorithm.MathType)));
    }

    [Fact]
    public void A_view_is_an_argument_of_24_bytes_and_numbers_keep_their_size()
    {
        Assert.Equal(24, Unsafe.SizeOf<DeviceView>());
        Argument view = new DeviceView(4096, 2, 3, 5);
        Assert.Equal(24, view.Size);
        Assert.Equal(view.Address, MemoryMarshal.Cast<Argument, nint>([view])[0]);
        Assert.Equal([2, 3, 5], MemoryMarshal.Cast<Argument, int>([view])[2..5].ToArray());
        Argument number = 1.5;
        Assert.Equal(8, number.Size);
        Assert.Equal(1.5, MemoryMarshal.Cast<Argument, double>([number])[0]);
        Assert.Equal(4, ((Argument)1f).Size);
        Assert.Equal(4, ((Argument)7).Size);
        Assert.Equal(8, ((Argument)7L).Size);
    }

    private static int Offset<T>(string field) => (int)Marshal.OffsetOf<T>(field);

    private static string[] Imports(Type type) =>
    [
        .. type.GetMethods(BindingFlags.Static | BindingFlags.Public)
            .Select(method => method.GetCustomAttribute<DllImportAttribute>())
            .OfType<DllImportAttribute>().Select(import => import.EntryPoint!).Order(StringComparer.Ordinal),
    ];
}
