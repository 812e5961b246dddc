using System.Runtime.Intrinsics;
using Lipschitz.Backends;
using Lipschitz.Cpu.Kernels;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu;

/// <summary>Makes the backend that runs on the vector units of this processor.</summary>
public static class CpuBackend
{
    /// <summary>The width that <see cref="SimdWidth.Best"/> stands for on this processor.</summary>
    public static SimdWidth BestWidth =>
        Vector512.IsHardwareAccelerated ? SimdWidth.Bits512
        : Vector256.IsHardwareAccelerated ? SimdWidth.Bits256
        : SimdWidth.Bits128;

    /// <summary>A backend for float32 or float64.</summary>
    /// <param name="precision">The number format of every buffer.</param>
    /// <param name="threads">The threads that <see cref="IBackend.Parallel"/> uses, the caller's included; 0 for one a processor.</param>
    /// <param name="width">
    /// The width of registers. A width that the processor lacks is emulated by the runtime: right and slow, for tests.
    /// </param>
    public static IBackend Create(
        Precision precision = Precision.Float32, int threads = 0, SimdWidth width = SimdWidth.Best)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        threads = threads == 0 ? Environment.ProcessorCount : threads;
        return (precision, width == SimdWidth.Best ? BestWidth : width) switch
        {
            (Precision.Float32, SimdWidth.Bits128) => new CpuBackend<float, Vector128<float>, Lanes128<float>>(threads),
            (Precision.Float32, SimdWidth.Bits256) => new CpuBackend<float, Vector256<float>, Lanes256<float>>(threads),
            (Precision.Float32, SimdWidth.Bits512) => new CpuBackend<float, Vector512<float>, Lanes512<float>>(threads),
            (Precision.Float64, SimdWidth.Bits128) => new CpuBackend<double, Vector128<double>, Lanes128<double>>(threads),
            (Precision.Float64, SimdWidth.Bits256) => new CpuBackend<double, Vector256<double>, Lanes256<double>>(threads),
            (Precision.Float64, SimdWidth.Bits512) => new CpuBackend<double, Vector512<double>, Lanes512<double>>(threads),
            _ => throw new ArgumentOutOfRangeException(nameof(precision), $"There is no backend for {precision} and {width}."),
        };
    }
}
