namespace Lipschitz.Cuda.Runtime;

/// <summary>The inner dimension of a product cut into parts that different blocks sum up.</summary>
/// <param name="Count">Parts, at least 1.</param>
/// <param name="Depth">Inner indices of a part, a multiple of what a tile holds at once; the last part may be shorter.</param>
internal readonly record struct InnerSplit(int Count, int Depth)
{
    private const int TileDepth = 16; // TILE_DEPTH in products.cuh

    /// <summary>About <paramref name="wanted"/> parts of <paramref name="inner"/> indices.</summary>
    public static InnerSplit Of(int inner, long wanted)
    {
        int parts = (int)Math.Clamp(wanted, 1, Math.Max(inner, 1));
        long tiles = Math.Max(((long)inner + TileDepth - 1) / TileDepth, 1);
        long depth = Math.Min((tiles + parts - 1) / parts * TileDepth, int.MaxValue / TileDepth * TileDepth);
        return new InnerSplit((int)Math.Max((inner + depth - 1) / depth, 1), (int)depth);
    }
}
