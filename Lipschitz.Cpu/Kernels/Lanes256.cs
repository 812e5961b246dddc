using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Registers of 256 bits.</summary>
internal readonly unsafe struct Lanes256<T> : ILanes<Vector256<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256<T>.Count;
    }

    public static string Name => "avx2";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(T* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<T> value, T* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> LoadPartial(T* source, nint count)
    {
        int half = Count / 2;
        return count < half
            ? Vector256.Create(Lanes128<T>.LoadPartial(source, count), default)
            : Vector256.Create(Lanes128<T>.Load(source), Lanes128<T>.LoadPartial(source + half, count - half));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Vector256<T> value, T* destination, nint count)
    {
        int half = Count / 2;
        if (count < half)
        {
            Lanes128<T>.StorePartial(value.GetLower(), destination, count);
        }
        else
        {
            Lanes128<T>.Store(value.GetLower(), destination);
            Lanes128<T>.StorePartial(value.GetUpper(), destination + half, count - half);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Broadcast(T value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Add(Vector256<T> x, Vector256<T> y) => x + y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Subtract(Vector256<T> x, Vector256<T> y) => x - y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Multiply(Vector256<T> x, Vector256<T> y) => x * y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Divide(Vector256<T> x, Vector256<T> y) => x / y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> SquareRoot(Vector256<T> x) => Vector256.Sqrt(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MultiplyAdd(Vector256<T> x, Vector256<T> y, Vector256<T> z) => typeof(T) == typeof(float)
        ? Vector256.MultiplyAddEstimate(x.AsSingle(), y.AsSingle(), z.AsSingle()).As<float, T>()
        : Vector256.MultiplyAddEstimate(x.AsDouble(), y.AsDouble(), z.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Min(Vector256<T> x, Vector256<T> y) => Vector256.MinNative(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Max(Vector256<T> x, Vector256<T> y) => Vector256.MaxNative(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Abs(Vector256<T> x) => Vector256.Abs(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Less(Vector256<T> x, Vector256<T> y) => Vector256.LessThan(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> LessOrEqual(Vector256<T> x, Vector256<T> y) => Vector256.LessThanOrEqual(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Select(Vector256<T> mask, Vector256<T> x, Vector256<T> y) => Vector256.ConditionalSelect(mask, x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Vector256<T> mask) => mask.AsInt32() == Vector256<int>.AllBitsSet;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Scale(Vector256<T> value, Vector256<T> shifted)
    {
        if (typeof(T) == typeof(float))
        {
            Vector256<int> n = shifted.AsInt32() - Vector256.Create(0x4B400000); // the bits of 1.5 2^23
            Vector256<int> half = Vector256.ShiftRightArithmetic(n, 1);
            Vector256<int> bias = Vector256.Create(127);
            Vector256<float> first = Vector256.ShiftLeft(half + bias, 23).AsSingle();
            Vector256<float> second = Vector256.ShiftLeft(n - half + bias, 23).AsSingle();
            return (value.AsSingle() * first * second).As<float, T>();
        }
        else
        {
            Vector256<long> n = shifted.AsInt64() - Vector256.Create(0x4338000000000000); // the bits of 1.5 2^52
            Vector256<long> bias = Vector256.Create(1023L);

            // |n| < 2^20, so an unsigned shift of n + 2^20 halves it downwards; AVX2 has no arithmetic shift of 64-bit lanes.
            Vector256<long> half = Vector256.ShiftRightLogical(n + Vector256.Create(1L << 20), 1) - Vector256.Create(1L << 19);
            Vector256<double> first = Vector256.ShiftLeft(half + bias, 52).AsDouble();
            Vector256<double> second = Vector256.ShiftLeft(n - half + bias, 52).AsDouble();
            return (value.AsDouble() * first * second).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> PowerOfTwo(Vector256<T> shifted)
    {
        // The bits above n fall out on the left; 1.0 adds the bias of the exponent.
        return typeof(T) == typeof(float)
            ? (Vector256.ShiftLeft(shifted.AsInt32(), 23) + Vector256.Create(1f).AsInt32()).As<int, T>()
            : (Vector256.ShiftLeft(shifted.AsInt64(), 52) + Vector256.Create(1.0).AsInt64()).As<long, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Deinterleave(Vector256<T> low, Vector256<T> high, out Vector256<T> first, out Vector256<T> second)
    {
        (low, high) = (Halves(low), Halves(high));
        first = Vector256.Create(low.GetLower(), high.GetLower());
        second = Vector256.Create(low.GetUpper(), high.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(Vector256<T> first, Vector256<T> second, out Vector256<T> low, out Vector256<T> high)
    {
        low = Alternating(Vector256.Create(first.GetLower(), second.GetLower()));
        high = Alternating(Vector256.Create(first.GetUpper(), second.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector256<T> x)
    {
        return Lanes128<T>.Sum(Lanes128<T>.Add(x.GetLower(), x.GetUpper()));
    }

    // Numbers at even places into the lower half, the others into the upper.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Halves(Vector256<T> x) => typeof(T) == typeof(float)
        ? Vector256.Shuffle(x.AsSingle(), Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7)).As<float, T>()
        : Vector256.Shuffle(x.AsDouble(), Vector256.Create(0L, 2, 1, 3)).As<double, T>();

    // The inverse of Halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Alternating(Vector256<T> x) => typeof(T) == typeof(float)
        ? Vector256.Shuffle(x.AsSingle(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).As<float, T>()
        : Vector256.Shuffle(x.AsDouble(), Vector256.Create(0L, 2, 1, 3)).As<double, T>();
}
