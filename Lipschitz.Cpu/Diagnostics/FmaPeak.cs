using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Lipschitz.Cpu.Kernels;

namespace Lipschitz.Cpu.Diagnostics;

/// <summary>The most multiply-adds a second that this processor makes: what a product is held against.</summary>
public static class FmaPeak
{
    private const int Accumulators = 12; // two units of latency 4 need 8; more would not fit into 16 registers
    private const int Steps = 200_000;

    /// <summary>GFLOP/s in float32 of a loop that touches nothing but registers, on so many threads at once; the best of some runs.</summary>
    /// <param name="threads">Threads at once; at least 1.</param>
    /// <param name="runs">Runs of about a millisecond.</param>
    /// <param name="width">The registers to use.</param>
    public static double Measure(int threads = 1, int runs = 50, SimdWidth width = SimdWidth.Best)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        Func<long, float> loop = (width == SimdWidth.Best ? CpuBackend.BestWidth : width) switch
        {
            SimdWidth.Bits512 => Loop<float, Vector512<float>, Lanes512<float>>,
            SimdWidth.Bits256 => Loop<float, Vector256<float>, Lanes256<float>>,
            _ => Loop<float, Vector128<float>, Lanes128<float>>,
        };
        int lanes = (width == SimdWidth.Best ? CpuBackend.BestWidth : width) switch
        {
            SimdWidth.Bits512 => 16,
            SimdWidth.Bits256 => 8,
            _ => 4,
        };
        using var pool = new WorkerPool(threads);
        float[] results = new float[threads];
        double best = double.PositiveInfinity;
        for (int run = 0; run < runs; run++)
        {
            // The time of the slowest thread would include its start: each thread times itself, and the slowest counts.
            double[] seconds = new double[threads];
            pool.Run(threads, t =>
            {
                long start = Stopwatch.GetTimestamp();
                results[t] += loop(Steps);
                seconds[t] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            });
            best = Math.Min(best, seconds.Max());
        }

        GC.KeepAlive(results);
        return 2.0 * lanes * Accumulators * Steps * threads / best / 1e9;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Loop<T, TVector, TLanes>(long steps)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TVector : struct
        where TLanes : struct, ILanes<TVector, T>
    {
        TVector x = TLanes.Broadcast(T.CreateTruncating(0.999)), y = TLanes.Broadcast(T.CreateTruncating(0.001));
        TVector a0 = y, a1 = y, a2 = y, a3 = y, a4 = y, a5 = y, a6 = y, a7 = y, a8 = y, a9 = y, a10 = y, a11 = y;
        for (long i = 0; i < steps; i++)
        {
            a0 = TLanes.MultiplyAdd(a0, x, y);
            a1 = TLanes.MultiplyAdd(a1, x, y);
            a2 = TLanes.MultiplyAdd(a2, x, y);
            a3 = TLanes.MultiplyAdd(a3, x, y);
            a4 = TLanes.MultiplyAdd(a4, x, y);
            a5 = TLanes.MultiplyAdd(a5, x, y);
            a6 = TLanes.MultiplyAdd(a6, x, y);
            a7 = TLanes.MultiplyAdd(a7, x, y);
            a8 = TLanes.MultiplyAdd(a8, x, y);
            a9 = TLanes.MultiplyAdd(a9, x, y);
            a10 = TLanes.MultiplyAdd(a10, x, y);
            a11 = TLanes.MultiplyAdd(a11, x, y);
        }

        a0 = TLanes.Add(TLanes.Add(TLanes.Add(a0, a1), TLanes.Add(a2, a3)), TLanes.Add(TLanes.Add(a4, a5), TLanes.Add(a6, a7)));
        return TLanes.Sum(TLanes.Add(a0, TLanes.Add(TLanes.Add(a8, a9), TLanes.Add(a10, a11))));
    }
}
