using System.Numerics;

namespace Lipschitz.Cpu.Kernels;

/// <summary>A right factor in the order of memory in which the kernels of one SIMD width read it.</summary>
/// <remarks>
/// Wide: panels [panel][inner][width], the last one filled up with zeros, so that a kernel reads whole registers side by side.
/// Narrow (up to four columns): pairs of columns, each column contiguous and filled up with zeros, for dot products along the rows of the left factor.
/// The memory is the owner's, zeros at first; see <see cref="Length"/>.
/// </remarks>
internal readonly unsafe struct PackedPanels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int NarrowColumns = 4;

    public PackedPanels(T* data, int inner, int columns, int width, int lanes)
    {
        Data = data;
        Inner = inner;
        Columns = columns;
        Width = width;
        IsNarrow = columns <= NarrowColumns && inner > 2;
        ColumnStride = (inner + lanes - 1) / lanes * lanes;
    }

    /// <summary>The first number.</summary>
    public T* Data { get; }

    /// <summary>Rows of the factor.</summary>
    public int Inner { get; }

    /// <summary>Columns of the factor.</summary>
    public int Columns { get; }

    /// <summary>Columns of a panel.</summary>
    public int Width { get; }

    /// <summary>Whether the columns are stored one after the other.</summary>
    public bool IsNarrow { get; }

    /// <summary>Distance between two columns of a narrow factor.</summary>
    public int ColumnStride { get; }

    /// <summary>The numbers of memory that a factor takes.</summary>
    public static int Length(int inner, int columns, int width, int lanes)
    {
        var panels = new PackedPanels<T>(null, inner, columns, width, lanes);
        return panels.IsNarrow
            ? checked((columns + 1) / 2 * 2 * panels.ColumnStride)
            : checked((columns + width - 1) / width * width * inner);
    }

    /// <summary>Rows start.. of the factor &lt;- op(source) [k, Columns].</summary>
    public void Pack(View<T> source, bool transpose, int start)
    {
        int k = transpose ? source.Columns : source.Rows;
        if (IsNarrow)
        {
            Packing<T>.PackNarrow(source.Data, source.Stride, transpose, k, Columns, Data, ColumnStride, start);
        }
        else
        {
            Packing<T>.Pack(source.Data, source.Stride, transpose, k, Columns, Data, Inner, Width, start);
        }
    }
}
