using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Diagnostics;

/// <summary>The time of one product [m, k] [k, n] in float32.</summary>
/// <param name="Kind">What is multiplied: <c>packed</c> right factor, or <c>gradient</c> for a' b without packing ahead.</param>
/// <param name="M">Rows of the result.</param>
/// <param name="N">Columns of the result.</param>
/// <param name="K">The inner length.</param>
/// <param name="Milliseconds">Of one product, the best repetition.</param>
/// <param name="Gflops">2 m n k operations over that time, in 1e9 a second.</param>
/// <param name="FractionOfPeak">Of the peak given.</param>
public sealed record GemmTiming(string Kind, int M, int N, int K, double Milliseconds, double Gflops, double FractionOfPeak);

/// <summary>Times the products that training is made of, and some large ones: <c>bench gemm</c>.</summary>
/// <remarks>
/// The rows are split over the threads, as a batch is; each thread then repeats its part without waiting for the others, as shards do in
/// training, until some milliseconds are over.
/// </remarks>
public static class GemmBenchmark
{
    private const double MinimumSeconds = 3e-3;
    private const double WarmUpSeconds = 0.25;

    /// <summary>Large squares, then the dense layers of the toy flows, then convolutions as products.</summary>
    private static readonly (string Kind, int M, int N, int K)[] Shapes =
    [
        ("packed", 1024, 1024, 1024), ("packed", 2048, 2048, 2048), ("packed", 500, 128, 128), ("packed", 500, 90, 182),
        ("packed", 500, 90, 362), ("packed", 84, 90, 92), ("packed", 84, 90, 182), ("packed", 84, 90, 362), ("packed", 84, 182, 90),
        ("packed", 84, 362, 90), ("packed", 252, 90, 272), ("packed", 12544, 512, 512), ("packed", 4096, 108, 980), ("packed", 84, 2, 362),
        ("packed", 84, 362, 2), ("gradient", 90, 362, 168), ("gradient", 90, 92, 168), ("gradient", 2, 362, 168), ("gradient", 90, 2, 168),
    ];

    /// <summary>Times every shape.</summary>
    /// <param name="backend">Where.</param>
    /// <param name="peak">GFLOP/s to compare with.</param>
    /// <param name="repetitions">The best of so many.</param>
    public static IReadOnlyList<GemmTiming> Run(IBackend backend, double peak, int repetitions = 20) =>
        [.. Shapes.Select(s => Time(backend, s.Kind, s.M, s.N, s.K, repetitions, peak))];

    /// <summary>The GFLOP/s of a product of two large squares: what a device without a measured peak of its own is compared with.</summary>
    /// <param name="backend">Where.</param>
    /// <remarks>The squares grow until a product takes some milliseconds, so that a slow device is not kept for minutes nor a fast one underrated.</remarks>
    public static double LargeProduct(IBackend backend)
    {
        const int Smallest = 512, Largest = 8192;
        for (int size = Smallest; ; size *= 2)
        {
            GemmTiming timing = Time(backend, "packed", size, size, size, 5, 1);
            if (size == Largest || timing.Milliseconds > 5)
            {
                return timing.Gflops;
            }
        }
    }

    private static GemmTiming Time(IBackend backend, string kind, int m, int n, int k, int repetitions, double peak)
    {
        bool isGradient = kind == "gradient";
        int threads = backend.Threads;

        // A gradient is summed over samples, which are its inner length: every thread makes a whole one of its own samples.
        (Action<int> product, Action<int> wait) = isGradient ? Gradient(backend, m, n, k) : Packed(backend, m, n, k);

        // Long enough for the JIT to have replaced its first, unoptimised code.
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < WarmUpSeconds)
        {
            product(0);
            wait(0);
        }

        start = Stopwatch.GetTimestamp();
        product(0);
        wait(0);
        int rounds = (int)Math.Clamp(MinimumSeconds / Stopwatch.GetElapsedTime(start).TotalSeconds, 1, 10_000);
        double[] seconds = new double[threads];
        double best = double.PositiveInfinity;
        for (int repetition = 0; repetition < repetitions; repetition++)
        {
            backend.Parallel(threads, t =>
            {
                long begin = Stopwatch.GetTimestamp();
                for (int round = 0; round < rounds; round++)
                {
                    product(t);
                }

                wait(t);
                seconds[t] = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            });
            best = Math.Min(best, seconds.Max() / rounds);
        }

        double gflops = 2.0 * m * n * k / best / 1e9 * (isGradient ? threads : 1);
        return new GemmTiming(kind, m, n, k, best * 1e3, gflops, gflops / peak);
    }

    private static (Action<int> Product, Action<int> Wait) Packed(IBackend backend, int m, int n, int k)
    {
        int threads = backend.Threads;
        Tensor a = Filled(backend, m, k), b = Filled(backend, k, n), c = backend.Allocate(m, n);
        PackedMatrix packed = backend.CreatePacked(k, n);
        backend.Pack(b, false, packed);
        return (
            t =>
            {
                int first = Split(t), count = Split(t + 1) - first;
                backend.Multiply(a.RowRange(first, count), packed, 0, c.RowRange(first, count));
            },
            _ => Wait(backend, c));

        // Whole tiles of 6 rows to each thread, but for the last.
        int Split(int part) => part == threads ? m : m * part / threads / 6 * 6;
    }

    private static (Action<int> Product, Action<int> Wait) Gradient(IBackend backend, int m, int n, int k)
    {
        Tensor a = Filled(backend, k, m), b = Filled(backend, k, n);
        Tensor[] c = [.. Enumerable.Range(0, backend.Threads).Select(_ => backend.Allocate(m, n))];
        return (t => backend.Multiply(a, true, b, false, 1, c[t]), t => Wait(backend, c[t]));
    }

    /// <summary>Returns when the kernels that write a tensor are done: reading waits for a device.</summary>
    internal static void Wait(IBackend backend, Tensor x)
    {
        Span<double> first = stackalloc double[1];
        backend.Download(x.RowRange(0, 1).ColumnRange(0, 1), first);
    }

    private static Tensor Filled(IBackend backend, int rows, int columns)
    {
        Tensor x = backend.Allocate(rows, columns);
        backend.Fill(x, 1e-3); // gradients add up without overflowing
        return x;
    }
}
