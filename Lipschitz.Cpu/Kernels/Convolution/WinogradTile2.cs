using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>
/// F(2 x 2, 3 x 3): 16 products for 4 pixels, 2.25 times fewer than there are. Entries are 0, 1 and -1 but for the weight's halves.
/// </summary>
internal readonly unsafe struct WinogradTile2<T, TVector, TLanes> : IWinogradTile<T, TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    public static int Outputs
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2;
    }

    public static int Size
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input(T** pixels, nint channel, T* work, T* to, nint plane)
    {
        // Rows 1 and 2 are needed by all rows of the result and stay in registers.
        TVector d10 = TLanes.Load(pixels[4] + channel), d11 = TLanes.Load(pixels[5] + channel);
        TVector d12 = TLanes.Load(pixels[6] + channel), d13 = TLanes.Load(pixels[7] + channel);
        TVector d20 = TLanes.Load(pixels[8] + channel), d21 = TLanes.Load(pixels[9] + channel);
        TVector d22 = TLanes.Load(pixels[10] + channel), d23 = TLanes.Load(pixels[11] + channel);
        Row(
            TLanes.Subtract(TLanes.Load(pixels[0] + channel), d20), TLanes.Subtract(TLanes.Load(pixels[1] + channel), d21),
            TLanes.Subtract(TLanes.Load(pixels[2] + channel), d22), TLanes.Subtract(TLanes.Load(pixels[3] + channel), d23), to, plane);
        to += 4 * plane;
        Row(TLanes.Add(d10, d20), TLanes.Add(d11, d21), TLanes.Add(d12, d22), TLanes.Add(d13, d23), to, plane);
        to += 4 * plane;
        Row(
            TLanes.Subtract(d20, d10), TLanes.Subtract(d21, d11), TLanes.Subtract(d22, d12), TLanes.Subtract(d23, d13), to, plane);
        to += 4 * plane;
        Row(
            TLanes.Subtract(d10, TLanes.Load(pixels[12] + channel)), TLanes.Subtract(d11, TLanes.Load(pixels[13] + channel)),
            TLanes.Subtract(d12, TLanes.Load(pixels[14] + channel)), TLanes.Subtract(d13, TLanes.Load(pixels[15] + channel)), to, plane);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(T* from, nint plane, T* work, T* pixels)
    {
        Sums(from, plane, out TVector s0, out TVector t0);
        Sums(from + plane, plane, out TVector s1, out TVector t1);
        Sums(from + (2 * plane), plane, out TVector s2, out TVector t2);
        Sums(from + (3 * plane), plane, out TVector s3, out TVector t3);
        TLanes.Store(TLanes.Add(TLanes.Add(s0, s1), s2), pixels);
        TLanes.Store(TLanes.Subtract(TLanes.Subtract(s1, s2), s3), pixels + TLanes.Count);
        TLanes.Store(TLanes.Add(TLanes.Add(t0, t1), t2), pixels + (2 * TLanes.Count));
        TLanes.Store(TLanes.Subtract(TLanes.Subtract(t1, t2), t3), pixels + (3 * TLanes.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputAdjoint(T** pixels, nint channel, T* work, T* to, nint plane)
    {
        TVector d00 = TLanes.Load(pixels[0] + channel), d01 = TLanes.Load(pixels[1] + channel);
        TVector d10 = TLanes.Load(pixels[2] + channel), d11 = TLanes.Load(pixels[3] + channel);
        Spread(d00, d01, to, plane);
        Spread(TLanes.Add(d00, d10), TLanes.Add(d01, d11), to + (4 * plane), plane);
        Spread(TLanes.Subtract(d00, d10), TLanes.Subtract(d01, d11), to + (8 * plane), plane);
        TVector zero = default;
        Spread(TLanes.Subtract(zero, d10), TLanes.Subtract(zero, d11), to + (12 * plane), plane);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weight(T* kernel, T* work, T* planes)
    {
        for (int j = 0; j < 3; j++)
        {
            Halves(kernel + (j * TLanes.Count), 3 * TLanes.Count, work + (j * TLanes.Count), 3 * TLanes.Count);
        }

        for (int i = 0; i < 4; i++)
        {
            Halves(work + (3 * i * TLanes.Count), TLanes.Count, planes + (4 * i * TLanes.Count), TLanes.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WeightAdjoint(T* from, nint plane, T* work, T* kernel)
    {
        for (int j = 0; j < 4; j++)
        {
            HalvesAdjoint(from + (j * plane), 4 * plane, work + (j * TLanes.Count), 4 * TLanes.Count);
        }

        for (int i = 0; i < 3; i++)
        {
            HalvesAdjoint(work + (4 * i * TLanes.Count), TLanes.Count, kernel + (3 * i * TLanes.Count), TLanes.Count);
        }
    }

    /// <summary>B' along a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row(TVector d0, TVector d1, TVector d2, TVector d3, T* to, nint plane)
    {
        TLanes.Store(TLanes.Subtract(d0, d2), to);
        TLanes.Store(TLanes.Add(d1, d2), to + plane);
        TLanes.Store(TLanes.Subtract(d2, d1), to + (2 * plane));
        TLanes.Store(TLanes.Subtract(d1, d3), to + (3 * plane));
    }

    /// <summary>A' along a column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sums(T* from, nint plane, out TVector first, out TVector second)
    {
        TVector m1 = TLanes.Load(from + (4 * plane)), m2 = TLanes.Load(from + (8 * plane));
        first = TLanes.Add(TLanes.Add(TLanes.Load(from), m1), m2);
        second = TLanes.Subtract(TLanes.Subtract(m1, m2), TLanes.Load(from + (12 * plane)));
    }

    /// <summary>A along a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(TVector d0, TVector d1, T* to, nint plane)
    {
        TVector zero = default;
        TLanes.Store(d0, to);
        TLanes.Store(TLanes.Add(d0, d1), to + plane);
        TLanes.Store(TLanes.Subtract(d0, d1), to + (2 * plane));
        TLanes.Store(TLanes.Subtract(zero, d1), to + (3 * plane));
    }

    /// <summary>G on three registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Halves(T* from, nint fromStep, T* to, nint step)
    {
        TVector half = VectorMath<T, TVector, TLanes>.Constant(0.5);
        TVector first = TLanes.Load(from), middle = TLanes.Load(from + fromStep), last = TLanes.Load(from + (2 * fromStep));
        TVector outer = TLanes.Add(first, last);
        TLanes.Store(first, to);
        TLanes.Store(TLanes.Multiply(half, TLanes.Add(outer, middle)), to + step);
        TLanes.Store(TLanes.Multiply(half, TLanes.Subtract(outer, middle)), to + (2 * step));
        TLanes.Store(last, to + (3 * step));
    }

    /// <summary>G' on four registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void HalvesAdjoint(T* from, nint fromStep, T* to, nint step)
    {
        TVector half = VectorMath<T, TVector, TLanes>.Constant(0.5);
        TVector u1 = TLanes.Load(from + fromStep), u2 = TLanes.Load(from + (2 * fromStep));
        TVector sum = TLanes.Multiply(half, TLanes.Add(u1, u2));
        TLanes.Store(TLanes.Add(TLanes.Load(from), sum), to);
        TLanes.Store(TLanes.Multiply(half, TLanes.Subtract(u1, u2)), to + step);
        TLanes.Store(TLanes.Add(TLanes.Load(from + (3 * fromStep)), sum), to + (2 * step));
    }
}
