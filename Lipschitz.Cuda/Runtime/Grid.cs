namespace Lipschitz.Cuda.Runtime;

/// <summary>How many blocks of how many threads run a kernel. Blocks are three-dimensional, threads one-dimensional.</summary>
internal readonly record struct Grid(int X, int Y, int Z, int Threads)
{
    /// <summary>Threads of a block where nothing else is said.</summary>
    public const int DefaultThreads = 256;

    /// <summary>A thread for each of <paramref name="count"/> elements, in blocks of 256; at most 2^31 - 1 blocks.</summary>
    public static Grid Elements(long count) => new(checked((int)((count + DefaultThreads - 1) / DefaultThreads)), 1, 1, DefaultThreads);

    /// <summary>A block for each of <paramref name="count"/> rows.</summary>
    public static Grid Blocks(int count, int threads = DefaultThreads) => new(count, 1, 1, threads);
}
