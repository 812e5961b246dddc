using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Registers of 128 bits; where the hardware has none, the runtime emulates them.</summary>
internal readonly unsafe struct Lanes128<T> : ILanes<Vector128<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128<T>.Count;
    }

    public static string Name => "vector128";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load(T* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<T> value, T* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> LoadPartial(T* source, nint count)
    {
        if (typeof(T) == typeof(float))
        {
            float* p = (float*)source;
            Vector128<float> v = count switch
            {
                1 => Vector128.CreateScalar(p[0]),
                2 => Vector128.Create(p[0], p[1], 0, 0),
                3 => Vector128.Create(p[0], p[1], p[2], 0),
                _ => default,
            };
            return v.As<float, T>();
        }

        return count == 1 ? Vector128.CreateScalar(source[0]) : default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Vector128<T> value, T* destination, nint count)
    {
        if (count > 0)
        {
            destination[0] = value.GetElement(0);
        }

        if (typeof(T) == typeof(float))
        {
            if (count > 1)
            {
                destination[1] = value.GetElement(1);
            }

            if (count > 2)
            {
                destination[2] = value.GetElement(2);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Broadcast(T value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Add(Vector128<T> x, Vector128<T> y) => x + y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Subtract(Vector128<T> x, Vector128<T> y) => x - y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Multiply(Vector128<T> x, Vector128<T> y) => x * y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Divide(Vector128<T> x, Vector128<T> y) => x / y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> SquareRoot(Vector128<T> x) => Vector128.Sqrt(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAdd(Vector128<T> x, Vector128<T> y, Vector128<T> z) => typeof(T) == typeof(float)
        ? Vector128.MultiplyAddEstimate(x.AsSingle(), y.AsSingle(), z.AsSingle()).As<float, T>()
        : Vector128.MultiplyAddEstimate(x.AsDouble(), y.AsDouble(), z.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Min(Vector128<T> x, Vector128<T> y) => Vector128.MinNative(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Max(Vector128<T> x, Vector128<T> y) => Vector128.MaxNative(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Abs(Vector128<T> x) => Vector128.Abs(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Less(Vector128<T> x, Vector128<T> y) => Vector128.LessThan(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> LessOrEqual(Vector128<T> x, Vector128<T> y) => Vector128.LessThanOrEqual(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Select(Vector128<T> mask, Vector128<T> x, Vector128<T> y) => Vector128.ConditionalSelect(mask, x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Vector128<T> mask) => mask.AsInt32() == Vector128<int>.AllBitsSet;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Scale(Vector128<T> value, Vector128<T> shifted)
    {
        if (typeof(T) == typeof(float))
        {
            Vector128<int> n = shifted.AsInt32() - Vector128.Create(0x4B400000); // the bits of 1.5 2^23
            Vector128<int> half = Vector128.ShiftRightArithmetic(n, 1);
            Vector128<int> bias = Vector128.Create(127);
            Vector128<float> first = Vector128.ShiftLeft(half + bias, 23).AsSingle();
            Vector128<float> second = Vector128.ShiftLeft(n - half + bias, 23).AsSingle();
            return (value.AsSingle() * first * second).As<float, T>();
        }
        else
        {
            Vector128<long> n = shifted.AsInt64() - Vector128.Create(0x4338000000000000); // the bits of 1.5 2^52
            Vector128<long> bias = Vector128.Create(1023L);

            // |n| < 2^20, so an unsigned shift of n + 2^20 halves it downwards; AVX2 has no arithmetic shift of 64-bit lanes.
            Vector128<long> half = Vector128.ShiftRightLogical(n + Vector128.Create(1L << 20), 1) - Vector128.Create(1L << 19);
            Vector128<double> first = Vector128.ShiftLeft(half + bias, 52).AsDouble();
            Vector128<double> second = Vector128.ShiftLeft(n - half + bias, 52).AsDouble();
            return (value.AsDouble() * first * second).As<double, T>();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> PowerOfTwo(Vector128<T> shifted)
    {
        // The bits above n fall out on the left; 1.0 adds the bias of the exponent.
        return typeof(T) == typeof(float)
            ? (Vector128.ShiftLeft(shifted.AsInt32(), 23) + Vector128.Create(1f).AsInt32()).As<int, T>()
            : (Vector128.ShiftLeft(shifted.AsInt64(), 52) + Vector128.Create(1.0).AsInt64()).As<long, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Deinterleave(Vector128<T> low, Vector128<T> high, out Vector128<T> first, out Vector128<T> second)
    {
        (low, high) = (Middle(low), Middle(high));
        first = Vector128.Create(low.GetLower(), high.GetLower());
        second = Vector128.Create(low.GetUpper(), high.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(Vector128<T> first, Vector128<T> second, out Vector128<T> low, out Vector128<T> high)
    {
        low = Middle(Vector128.Create(first.GetLower(), second.GetLower()));
        high = Middle(Vector128.Create(first.GetUpper(), second.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector128<T> x)
    {
        if (typeof(T) == typeof(float))
        {
            return x.GetElement(0) + x.GetElement(2) + (x.GetElement(1) + x.GetElement(3));
        }

        return x.GetElement(0) + x.GetElement(1);
    }

    // The two numbers in the middle exchanged; of two numbers there is no middle.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> Middle(Vector128<T> x) => typeof(T) == typeof(float)
        ? Vector128.Shuffle(x.AsSingle(), Vector128.Create(0, 2, 1, 3)).As<float, T>()
        : x;
}
