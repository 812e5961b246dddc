using System.Runtime.InteropServices;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda.Runtime;

/// <summary>A matrix of float32 as kernels receive it, by value: <c>struct View</c> in prelude.cuh, 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 24)]
internal readonly struct DeviceView
{
    public readonly nint Data; // the address of element (0, 0)
    public readonly int Rows;
    public readonly int Columns;
    public readonly int Stride; // elements from row to row

    public DeviceView(nint data, int rows, int columns, int stride) => (Data, Rows, Columns, Stride) = (data, rows, columns, stride);

    public DeviceView(Tensor tensor)
        : this(AddressOf(tensor), tensor.Rows, tensor.Columns, tensor.Stride)
    {
    }

    public static implicit operator DeviceView(Tensor tensor) => new(tensor);

    private static nint AddressOf(Tensor tensor) => tensor.Buffer switch
    {
        CudaBuffer buffer => buffer.Address + ((nint)tensor.Offset * sizeof(float)),
        null => 0, // a tensor that was left out: an empty view at address 0
        _ => throw new ArgumentException($"The tensor {tensor} is not in the memory of a CUDA device."),
    };
}
