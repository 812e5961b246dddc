using System.Numerics;
using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Kernels;

/// <summary>A tensor as kernels see it: element (i, j) is at <c>Data[i * Stride + j]</c>.</summary>
/// <remarks>It does not keep its buffer alive: the backend's methods do.</remarks>
internal readonly unsafe struct View<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public View(T* data, int rows, int columns, nint stride)
    {
        Data = data;
        Rows = rows;
        Columns = columns;
        Stride = stride;
    }

    public View(Tensor tensor)
        : this(Start(tensor), tensor.Rows, tensor.Columns, tensor.Stride)
    {
    }

    public T* Data { get; }

    public int Rows { get; }

    public int Columns { get; }

    public nint Stride { get; }

    public bool IsContiguous => Rows <= 1 || Stride == Columns;

    public T* Row(int i) => Data + (i * Stride);

    public View<T> RowRange(int start, int count) => new(Data + (start * Stride), count, Columns, Stride);

    /// <summary>The same elements as one row; only of a contiguous view.</summary>
    public View<T> Flat() => new(Data, 1, Rows * Columns, (nint)Rows * Columns);

    /// <summary>The address of element (0, 0); null for the empty tensor that stands for no parameters.</summary>
    private static T* Start(Tensor tensor) =>
        tensor.Buffer is null ? null : (T*)((HostBuffer<T>)tensor.Buffer).Address + tensor.Offset;
}
