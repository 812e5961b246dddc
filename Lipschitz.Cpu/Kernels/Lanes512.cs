using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Registers of 512 bits; where the hardware has none, the runtime emulates them.</summary>
internal readonly unsafe struct Lanes512<T> : ILanes<Vector512<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512<T>.Count;
    }

    public static string Name => "avx512";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load(T* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<T> value, T* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LoadPartial(T* source, nint count)
    {
        int half = Count / 2;
        return count < half
            ? Vector512.Create(Lanes256<T>.LoadPartial(source, count), default)
            : Vector512.Create(Lanes256<T>.Load(source), Lanes256<T>.LoadPartial(source + half, count - half));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Vector512<T> value, T* destination, nint count)
    {
        int half = Count / 2;
        if (count < half)
        {
            Lanes256<T>.StorePartial(value.GetLower(), destination, count);
        }
        else
        {
            Lanes256<T>.Store(value.GetLower(), destination);
            Lanes256<T>.StorePartial(value.GetUpper(), destination + half, count - half);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Broadcast(T value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Add(Vector512<T> x, Vector512<T> y) => x + y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Subtract(Vector512<T> x, Vector512<T> y) => x - y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Multiply(Vector512<T> x, Vector512<T> y) => x * y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Divide(Vector512<T> x, Vector512<T> y) => x / y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> SquareRoot(Vector512<T> x) => Vector512.Sqrt(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd(Vector512<T> x, Vector512<T> y, Vector512<T> z) => typeof(T) == typeof(float)
        ? Vector512.MultiplyAddEstimate(x.AsSingle(), y.AsSingle(), z.AsSingle()).As<float, T>()
        : Vector512.MultiplyAddEstimate(x.AsDouble(), y.AsDouble(), z.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Min(Vector512<T> x, Vector512<T> y) => Vector512.MinNative(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Max(Vector512<T> x, Vector512<T> y) => Vector512.MaxNative(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Abs(Vector512<T> x) => Vector512.Abs(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Less(Vector512<T> x, Vector512<T> y) => Vector512.LessThan(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> LessOrEqual(Vector512<T> x, Vector512<T> y) => Vector512.LessThanOrEqual(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Select(Vector512<T> mask, Vector512<T> x, Vector512<T> y) => Vector512.ConditionalSelect(mask, x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Vector512<T> mask) => mask.AsInt32() == Vector512<int>.AllBitsSet;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Scale(Vector512<T> value, Vector512<T> shifted)
    {
        if (typeof(T) == typeof(float))
        {
            Vector512<int> n = shifted.AsInt32() - Vector512.Create(0x4B400000); // the bits of 1.5 2^23
            Vector512<int> half = Vector512.ShiftRightArithmetic(n, 1);
            Vector512<int> bias = Vector512.Create(127);
            Vector512<float> first = Vector512.ShiftLeft(half + bias, 23).AsSingle();
            Vector512<float> second = Vector512.ShiftLeft(n - half + bias, 23).AsSingle();
            return (value.AsSingle() * first * second).As<float, T>();
        }
        else
        {
            Vector512<long> n = shifted.AsInt64() - Vector512.Create(0x4338000000000000); // the bits of 1.5 2^52
            Vector512<long> bias = Vector512.Create(1023L);

            // |n| < 2^20, so an unsigned shift of n + 2^20 halves it downwards; AVX2 has no arithmetic shift of 64-bit lanes.
            Vector512<long> half = Vector512.ShiftRightLogical(n + Vector512.Create(1L << 20), 1) - Vector512.Create(1L << 19);
            Vector512<double> first = Vector512.ShiftLeft(half + bias, 52).AsDouble();
            Vector512<double> second = Vector512.ShiftLeft(n - half + bias, 52).AsDouble();
            return (value.AsDouble() * first * second).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> PowerOfTwo(Vector512<T> shifted)
    {
        // The bits above n fall out on the left; 1.0 adds the bias of the exponent.
        return typeof(T) == typeof(float)
            ? (Vector512.ShiftLeft(shifted.AsInt32(), 23) + Vector512.Create(1f).AsInt32()).As<int, T>()
            : (Vector512.ShiftLeft(shifted.AsInt64(), 52) + Vector512.Create(1.0).AsInt64()).As<long, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Deinterleave(Vector512<T> low, Vector512<T> high, out Vector512<T> first, out Vector512<T> second)
    {
        (low, high) = (Halves(low), Halves(high));
        first = Vector512.Create(low.GetLower(), high.GetLower());
        second = Vector512.Create(low.GetUpper(), high.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(Vector512<T> first, Vector512<T> second, out Vector512<T> low, out Vector512<T> high)
    {
        low = Alternating(Vector512.Create(first.GetLower(), second.GetLower()));
        high = Alternating(Vector512.Create(first.GetUpper(), second.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector512<T> x)
    {
        return Lanes256<T>.Sum(Lanes256<T>.Add(x.GetLower(), x.GetUpper()));
    }

    // Numbers at even places into the lower half, the others into the upper.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Halves(Vector512<T> x) => typeof(T) == typeof(float)
        ? Vector512.Shuffle(x.AsSingle(), Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15)).As<float, T>()
        : Vector512.Shuffle(x.AsDouble(), Vector512.Create(0L, 2, 4, 6, 1, 3, 5, 7)).As<double, T>();

    // The inverse of Halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Alternating(Vector512<T> x) => typeof(T) == typeof(float)
        ? Vector512.Shuffle(x.AsSingle(), Vector512.Create(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15)).As<float, T>()
        : Vector512.Shuffle(x.AsDouble(), Vector512.Create(0L, 4, 1, 5, 2, 6, 3, 7)).As<double, T>();
}
