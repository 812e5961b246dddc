namespace Lipschitz.Cuda.Runtime;

/// <summary>Matrix products by kernels of our own (products.cuh), where cuBLAS is missing. Sums run in a fixed order.</summary>
/// <param name="context">The device.</param>
internal sealed class OwnProducts(CudaContext context) : IProducts
{
    private const int Narrow = 16; // rows or columns of the tiles for skinny results
    private const int LeastDepth = 64; // inner indices that are worth a block

    /// <inheritdoc/>
    public string Name => "own kernels";

    /// <inheritdoc/>
    public void Multiply(DeviceView a, bool transposeA, DeviceView b, bool transposeB, float beta, DeviceView c)
    {
        int inner = transposeA ? a.Rows : a.Columns;
        (string kernel, long tiles) = Kernel(c.Rows, c.Columns);
        if (tiles == 0)
        {
            return;
        }

        long free = 2L * context.Multiprocessors / tiles; // blocks that would find no tile
        InnerSplit split = InnerSplit.Of(inner, Math.Min(free, inner / LeastDepth));
        if (split.Count == 1)
        {
            Launch(kernel, tiles, split, a, transposeA, b, transposeB, beta, c);
            return;
        }

        using Scratch memory = context.Rent((long)split.Count * c.Rows * c.Columns * sizeof(float));
        var parts = new DeviceView(memory.Address, split.Count * c.Rows, c.Columns, c.Columns);
        Launch(kernel, tiles, split, a, transposeA, b, transposeB, 0, parts);
        context.Launch("add_parts", Grid.Elements((long)c.Rows * c.Columns), parts, split.Count, beta, c);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>The kernel whose tiles suit a result [rows, columns], and how many of them cover it.</summary>
    private (string Kernel, long Tiles) Kernel(int rows, int columns)
    {
        if (columns <= Narrow)
        {
            return ("multiply_tall", Tiles(rows, 128) * Tiles(columns, Narrow));
        }

        if (rows <= Narrow)
        {
            return ("multiply_wide", Tiles(rows, Narrow) * Tiles(columns, 128));
        }

        long large = Tiles(rows, 128) * Tiles(columns, 128);
        return large >= context.Multiprocessors ? ("multiply_large", large) : ("multiply_square", Tiles(rows, 64) * Tiles(columns, 64));
    }

    private void Launch(
        string kernel, long tiles, InnerSplit split, DeviceView a, bool transposeA, DeviceView b, bool transposeB, float beta, DeviceView c) =>
        context.Launch(
            kernel, new Grid(checked((int)tiles), split.Count, 1, Grid.DefaultThreads), a, transposeA ? 1 : 0, b, transposeB ? 1 : 0, split.Depth, beta, c);

    private static long Tiles(int length, int tile) => ((long)length + tile - 1) / tile;
}
