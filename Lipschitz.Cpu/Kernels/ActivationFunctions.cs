using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>An elementwise nonlinearity f with raw parameters, on registers.</summary>
internal interface IActivation<TVector>
    where TVector : struct
{
    /// <summary>The number of raw parameters, 0 to 2.</summary>
    static abstract int Parameters { get; }

    /// <summary>f(x).</summary>
    TVector Value(TVector x);

    /// <summary>f(x), and f'(x).</summary>
    TVector ValueSlope(TVector x, out TVector slope);

    /// <summary>
    /// Everything the adjoint needs: f', f'', and for each raw parameter the derivatives of f and of f'. Separate results, since the JIT
    /// keeps those of an inlined call in registers but not the fields of a structure of six.
    /// </summary>
    void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1);
}

/// <summary>y = x.</summary>
internal readonly struct Identity<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    public static int Parameters => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x) => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        slope = VectorMath<T, TVector, TLanes>.Constant(1);
        return x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1)
    {
        value0 = slope0 = value1 = slope1 = default;
        curvature = default;
        slope = VectorMath<T, TVector, TLanes>.Constant(1);
    }
}

/// <summary>y = max(x, 0), with slope 0 at 0.</summary>
internal readonly struct ReLU<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    public static int Parameters => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x) => TLanes.Max(VectorMath<T, TVector, TLanes>.Constant(0), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        TVector zero = VectorMath<T, TVector, TLanes>.Constant(0);
        slope = TLanes.Select(TLanes.Less(zero, x), VectorMath<T, TVector, TLanes>.Constant(1), zero);
        return TLanes.Max(zero, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1)
    {
        value0 = slope0 = value1 = slope1 = default;
        curvature = default;
        ValueSlope(x, out slope);
    }
}

/// <summary>y = x for x &gt; 0, else exp(x) - 1.</summary>
/// <remarks>exp(x) - 1 = tanh(x/2) (1 + exp(x)) keeps its relative precision near 0.</remarks>
internal readonly struct Elu<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    public static int Parameters => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x) => ValueSlope(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        TVector zero = VectorMath<T, TVector, TLanes>.Constant(0), one = VectorMath<T, TVector, TLanes>.Constant(1);
        TVector half = TLanes.Multiply(VectorMath<T, TVector, TLanes>.Constant(0.5), x);
        TVector tanh = VectorMath<T, TVector, TLanes>.Tanh(half, out TVector e); // e = exp(-|x|), which is exp(x) where x < 0
        TVector positive = TLanes.Less(zero, x);
        slope = TLanes.Select(positive, one, e);
        return TLanes.Select(positive, x, TLanes.Multiply(tanh, TLanes.Add(one, e)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1)
    {
        value0 = slope0 = value1 = slope1 = default;
        TVector zero = VectorMath<T, TVector, TLanes>.Constant(0);
        TVector e = VectorMath<T, TVector, TLanes>.Exp(TLanes.Min(zero, x));
        TVector positive = TLanes.Less(zero, x);
        slope = TLanes.Select(positive, VectorMath<T, TVector, TLanes>.Constant(1), e);
        curvature = TLanes.Select(positive, zero, e);
    }
}

/// <summary>y = tanh(x), y' = 1 - y^2 = 4 e/(1 + e)^2 with e = exp(-2|x|), y'' = -2 y y'.</summary>
internal readonly struct Tanh<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    public static int Parameters => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x) => VectorMath<T, TVector, TLanes>.Tanh(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        TVector y = VectorMath<T, TVector, TLanes>.Tanh(x, out TVector e);
        TVector q = TLanes.Divide(
            VectorMath<T, TVector, TLanes>.Constant(2), TLanes.Add(VectorMath<T, TVector, TLanes>.Constant(1), e));
        slope = TLanes.Multiply(TLanes.Multiply(q, q), e);
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1)
    {
        value0 = slope0 = value1 = slope1 = default;
        TVector y = ValueSlope(x, out slope);
        curvature = TLanes.Multiply(TLanes.Multiply(VectorMath<T, TVector, TLanes>.Constant(-2), y), slope);
    }
}

/// <summary>y = log(1 + exp(x)), y' = g = sigmoid(x), y'' = g (1 - g).</summary>
internal readonly struct Softplus<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    public static int Parameters => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x) => VectorMath<T, TVector, TLanes>.Softplus(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        TVector minus = TLanes.Subtract(VectorMath<T, TVector, TLanes>.Constant(0), x);
        VectorMath<T, TVector, TLanes>.SigmoidOfNegative(minus, out slope, out _);
        return VectorMath<T, TVector, TLanes>.Softplus(x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1)
    {
        value0 = slope0 = value1 = slope1 = default;
        TVector minus = TLanes.Subtract(VectorMath<T, TVector, TLanes>.Constant(0), x);
        VectorMath<T, TVector, TLanes>.SigmoidOfNegative(minus, out slope, out TVector h);
        curvature = TLanes.Multiply(slope, h);
    }
}

/// <summary>y = x^3/3 for |x| &lt; 1, else x - sign(x) 2/3.</summary>
internal readonly struct LipschitzCube<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    public static int Parameters => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x) => ValueSlope(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        TVector one = VectorMath<T, TVector, TLanes>.Constant(1);
        TVector square = TLanes.Multiply(x, x);
        TVector inside = TLanes.Less(TLanes.Abs(x), one);
        TVector third = TLanes.Multiply(VectorMath<T, TVector, TLanes>.Constant(1.0 / 3), TLanes.Multiply(square, x));
        TVector shift = TLanes.Select(
            TLanes.Less(x, VectorMath<T, TVector, TLanes>.Constant(0)),
            VectorMath<T, TVector, TLanes>.Constant(2.0 / 3),
            VectorMath<T, TVector, TLanes>.Constant(-2.0 / 3));
        slope = TLanes.Select(inside, square, one);
        return TLanes.Select(inside, third, TLanes.Add(x, shift));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1)
    {
        value0 = slope0 = value1 = slope1 = default;
        ValueSlope(x, out slope);
        TVector inside = TLanes.Less(TLanes.Abs(x), VectorMath<T, TVector, TLanes>.Constant(1));
        curvature = TLanes.Select(inside, TLanes.Add(x, x), VectorMath<T, TVector, TLanes>.Constant(0));
    }
}
