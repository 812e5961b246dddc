using System.Numerics;
using System.Runtime.CompilerServices;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels;

/// <summary>y = x g/1.1 with g = sigmoid(t), t = s x, s = softplus(beta) (Chen et al. 2019, section 3.3).</summary>
/// <remarks>
/// y' = g (1 + t h)/1.1 and y'' = s g h (2 + t (h - g))/1.1 with h = 1 - g; dy/ds = x^2 g h/1.1 and dy'/ds = x y''/s.
/// </remarks>
internal readonly struct LipSwish<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    private readonly TVector _scale;
    private readonly TVector _factor;
    private readonly TVector _betaFactor;

    /// <summary>From the raw parameter; <paramref name="divisor"/> is 1.1, times 1.004 as a part of CLipSwish.</summary>
    public LipSwish(double beta, double divisor)
    {
        double s = ScalarMath.Softplus(beta);
        _scale = VectorMath<T, TVector, TLanes>.Constant(s);
        _factor = VectorMath<T, TVector, TLanes>.Constant(1 / divisor);
        _betaFactor = VectorMath<T, TVector, TLanes>.Constant(ScalarMath.Sigmoid(beta) / divisor); // ds/dbeta over the divisor
    }

    public static int Parameters => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x)
    {
        VectorMath<T, TVector, TLanes>.Sigmoid(TLanes.Multiply(_scale, x), out TVector g, out _);
        return TLanes.Multiply(TLanes.Multiply(x, g), _factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        TVector t = TLanes.Multiply(_scale, x);
        VectorMath<T, TVector, TLanes>.Sigmoid(t, out TVector g, out TVector h);
        g = TLanes.Multiply(g, _factor);
        slope = TLanes.MultiplyAdd(TLanes.Multiply(t, h), g, g);
        return TLanes.Multiply(x, g);
    }

    /// <summary>The pair for CLipSwish: values at x and -x, and their derivatives with respect to x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Both(TVector x, out TVector value, out TVector slope, out TVector mirrored, out TVector mirroredSlope)
    {
        TVector t = TLanes.Multiply(_scale, x);
        VectorMath<T, TVector, TLanes>.Sigmoid(t, out TVector g, out TVector h);
        TVector zero = VectorMath<T, TVector, TLanes>.Constant(0);
        TVector up = TLanes.Multiply(g, _factor);
        TVector down = TLanes.Subtract(zero, TLanes.Multiply(h, _factor));
        value = TLanes.Multiply(x, up);
        mirrored = TLanes.Multiply(x, down);
        slope = TLanes.MultiplyAdd(TLanes.Multiply(t, h), up, up);
        mirroredSlope = TLanes.MultiplyAdd(TLanes.Multiply(TLanes.Subtract(zero, t), g), down, down);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Derivatives<TVector> At(TVector x)
    {
        TVector t = TLanes.Multiply(_scale, x);
        VectorMath<T, TVector, TLanes>.Sigmoid(t, out TVector g, out TVector h);
        TVector up = TLanes.Multiply(g, _factor);
        TVector bell = TLanes.Multiply(g, h);
        TVector bend = TLanes.Multiply(
            bell, TLanes.MultiplyAdd(t, TLanes.Subtract(h, g), VectorMath<T, TVector, TLanes>.Constant(2)));
        TVector raw = TLanes.Multiply(x, _betaFactor);
        return new()
        {
            Slope = TLanes.MultiplyAdd(TLanes.Multiply(t, h), up, up),
            Curvature = TLanes.Multiply(bend, TLanes.Multiply(_scale, _factor)),
            Value0 = TLanes.Multiply(TLanes.Multiply(raw, x), bell),
            Slope0 = TLanes.Multiply(raw, bend),
        };
    }
}

/// <summary>y = a x + (1 - a) LipSwish(x) with a = sigmoid(alpha); raw parameters (alpha, beta).</summary>
internal readonly struct LeakyLSwish<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    private readonly LipSwish<T, TVector, TLanes> _swish;
    private readonly TVector _leak;
    private readonly TVector _rest;
    private readonly TVector _alphaFactor;

    public LeakyLSwish(double alpha, double beta)
    {
        _swish = new(beta, Activations.LipSwishDivisor);
        double a = ScalarMath.Sigmoid(alpha), rest = ScalarMath.Sigmoid(-alpha);
        _leak = VectorMath<T, TVector, TLanes>.Constant(a);
        _rest = VectorMath<T, TVector, TLanes>.Constant(rest);
        _alphaFactor = VectorMath<T, TVector, TLanes>.Constant(a * rest);
    }

    public static int Parameters => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x) => TLanes.MultiplyAdd(_rest, _swish.Value(x), TLanes.Multiply(_leak, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        TVector y = _swish.ValueSlope(x, out TVector inner);
        slope = TLanes.MultiplyAdd(_rest, inner, _leak);
        return TLanes.MultiplyAdd(_rest, y, TLanes.Multiply(_leak, x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Derivatives<TVector> At(TVector x)
    {
        Derivatives<TVector> inner = _swish.At(x);
        TVector y = _swish.Value(x);
        return new()
        {
            Slope = TLanes.MultiplyAdd(_rest, inner.Slope, _leak),
            Curvature = TLanes.Multiply(_rest, inner.Curvature),
            Value0 = TLanes.Multiply(_alphaFactor, TLanes.Subtract(x, y)),
            Slope0 = TLanes.Multiply(
                _alphaFactor, TLanes.Subtract(VectorMath<T, TVector, TLanes>.Constant(1), inner.Slope)),
            Value1 = TLanes.Multiply(_rest, inner.Value0),
            Slope1 = TLanes.Multiply(_rest, inner.Slope0),
        };
    }
}
