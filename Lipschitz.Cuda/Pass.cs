using System.Numerics;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda;

/// <summary>How the threads of a launch share the elements of a matrix: the other side of passes.cuh.</summary>
/// <param name="Grid">Blocks of 256 threads.</param>
/// <param name="LaneBits">The binary logarithm of the threads that stand side by side in a row.</param>
/// <param name="Width">The neighbouring elements a thread works on at once, 4 or 1.</param>
internal readonly record struct Pass(Grid Grid, int LaneBits, int Width)
{
    private const int BlockBits = 8;

    // Some four times as many as the largest device runs at once; a constant, so that sums of parts are the same on every device.
    private const int MostBlocks = 4096;

    /// <summary>The number of blocks.</summary>
    public int Blocks => Grid.X * Grid.Y;

    /// <summary>A pass over [rows, columns] elements of each of the tensors, four at a time where all of them allow it.</summary>
    public static Pass Over(int rows, int columns, params ReadOnlySpan<Tensor> tensors)
    {
        bool isWide = columns % 4 == 0;
        foreach (Tensor tensor in tensors)
        {
            isWide &= tensor.Count == 0 || (tensor.Offset % 4 == 0 && tensor.Columns % 4 == 0 && (tensor.Rows == 1 || tensor.Stride % 4 == 0));
        }

        return Of(rows, columns, isWide ? 4 : 1);
    }

    /// <summary>A pass over [rows, columns] elements one at a time.</summary>
    public static Pass Single(int rows, int columns) => Of(rows, columns, 1);

    /// <summary>A pass over rows whose sums are wanted, with as many threads a row as there are columns, up to 256; one row of blocks.</summary>
    public static Pass Rows(int rows, int columns)
    {
        int laneBits = Math.Min(BlockBits, BitsFor(columns));
        return new Pass(Grid.Blocks(Ratio(rows, 1 << (BlockBits - laneBits))), laneBits, 1);
    }

    /// <summary>count / size, rounded up.</summary>
    public static int Ratio(int count, int size) => (int)(((long)count + size - 1) / size);

    /// <summary>The binary logarithm of the smallest power of two that is at least <paramref name="count"/>.</summary>
    public static int BitsFor(int count) => count <= 1 ? 0 : BitOperations.Log2((uint)(count - 1)) + 1;

    private static Pass Of(int rows, int columns, int width)
    {
        int places = Ratio(columns, width);
        int laneBits = Math.Min(BlockBits, BitsFor(places));
        int y = Math.Min(MostBlocks, Ratio(places, 1 << laneBits));
        int x = Math.Min(MostBlocks / Math.Max(1, y), Ratio(rows, 1 << (BlockBits - laneBits)));
        return new Pass(new Grid(x, y, 1, 1 << BlockBits), laneBits, width);
    }
}
