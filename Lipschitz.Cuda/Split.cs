using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda;

/// <summary>How a sum along one side of a matrix is cut into chunks, each the work of one row of blocks; see reductions.cuh.</summary>
/// <param name="Grid">Tiles of the other side by chunks.</param>
/// <param name="LaneBits">The binary logarithm of the threads that stand side by side in a row.</param>
/// <param name="Chunk">Rows or columns of a chunk.</param>
/// <param name="Chunks">The number of chunks, at least 1.</param>
/// <remarks>It depends on the shape alone, so that sums are the same on every device.</remarks>
internal readonly record struct Split(Grid Grid, int LaneBits, int Chunk, int Chunks)
{
    private const int BlockBits = 8;
    private const int MostBlocks = 1024; // some eight for each multiprocessor of a large device
    private const int LeastOfThread = 16; // numbers that a thread adds before a second pass is worth its launch
    private const int CoalescedBits = 5; // 32 neighbouring floats are what memory delivers at once

    /// <summary>The sums of the columns.</summary>
    public static Split OfColumns(int rows, int columns)
    {
        int laneBits = Math.Min(CoalescedBits, Pass.BitsFor(columns));
        while (laneBits < BlockBits && 1 << (BlockBits - laneBits) > rows && 1 << laneBits < columns)
        {
            laneBits++; // few rows: more columns a block
        }

        return Of(rows, columns, laneBits, 1 << laneBits, 1 << (BlockBits - laneBits));
    }

    /// <summary>The sums of the rows.</summary>
    public static Split OfRows(int rows, int columns)
    {
        int laneBits = Math.Min(BlockBits, Pass.BitsFor(Pass.Ratio(columns, 4)));
        return Of(columns, rows, laneBits, 1 << (BlockBits - laneBits), 1 << laneBits);
    }

    // length numbers are added for each of `others` sums; a block makes `tile` sums with `sharers` threads each.
    private static Split Of(int length, int others, int laneBits, int tile, int sharers)
    {
        int tiles = Pass.Ratio(others, tile);
        int most = Math.Max(1, MostBlocks / Math.Max(1, tiles));
        int chunk = Math.Max(1, Pass.Ratio(length, Math.Clamp(Pass.Ratio(length, LeastOfThread * sharers), 1, most)));
        int chunks = Math.Max(1, Pass.Ratio(length, chunk));
        return new Split(new Grid(tiles, chunks, 1, 1 << BlockBits), laneBits, chunk, chunks);
    }
}
