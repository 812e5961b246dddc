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
    // Numbers, not registers: the JIT keeps the four in registers or memory operands as the loop has room.
    private readonly T _scale;
    private readonly T _factor;
    private readonly T _curvatureFactor;
    private readonly T _betaFactor;

    /// <summary>From the raw parameter; <paramref name="divisor"/> is 1.1, times 1.004 as a part of CLipSwish.</summary>
    public LipSwish(double beta, double divisor)
    {
        double s = ScalarMath.Softplus(beta);
        _scale = T.CreateTruncating(s);
        _factor = T.CreateTruncating(1 / divisor);
        _curvatureFactor = T.CreateTruncating(s / divisor);
        _betaFactor = T.CreateTruncating(ScalarMath.Sigmoid(beta) / divisor); // ds/dbeta over the divisor
    }

    public static int Parameters => 1;

    /// <summary>1/divisor: f'(x) + f'(-x).</summary>
    public TVector InverseDivisor
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Broadcast(_factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x)
    {
        VectorMath<T, TVector, TLanes>.SigmoidOfNegative(TLanes.Multiply(TLanes.Broadcast(-_scale), x), out TVector g, out _);
        return TLanes.Multiply(TLanes.Multiply(x, g), TLanes.Broadcast(_factor));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        Both(x, out TVector value, out slope, out _, out _);
        return value;
    }

    /// <summary>The pair for CLipSwish: values at x and -x, and their derivatives with respect to x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Both(TVector x, out TVector value, out TVector slope, out TVector mirrored, out TVector mirroredSlope)
    {
        TVector u = TLanes.Multiply(TLanes.Broadcast(-_scale), x);
        VectorMath<T, TVector, TLanes>.SigmoidOfNegative(u, out TVector g, out TVector h);
        TVector up = TLanes.Multiply(g, TLanes.Broadcast(_factor));
        TVector down = TLanes.Multiply(h, TLanes.Broadcast(-_factor));
        value = TLanes.Multiply(x, up);
        mirrored = TLanes.Multiply(x, down);

        // With t = -u: up (1 + t h) and down (1 - t g).
        slope = TLanes.Subtract(up, TLanes.Multiply(TLanes.Multiply(u, h), up));
        mirroredSlope = TLanes.MultiplyAdd(TLanes.Multiply(u, g), down, down);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1)
    {
        At(x, out _, out slope, out curvature, out value0, out slope0);
        value1 = slope1 = default;
    }

    /// <summary>f too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector value, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0)
    {
        TVector u = TLanes.Multiply(TLanes.Broadcast(-_scale), x);
        VectorMath<T, TVector, TLanes>.SigmoidOfNegative(u, out TVector g, out TVector h);
        TVector up = TLanes.Multiply(g, TLanes.Broadcast(_factor));
        TVector bell = TLanes.Multiply(g, h);
        TVector bend = TLanes.Multiply(
            bell, TLanes.MultiplyAdd(u, TLanes.Subtract(g, h), VectorMath<T, TVector, TLanes>.Constant(2)));
        TVector raw = TLanes.Multiply(x, TLanes.Broadcast(_betaFactor));
        value = TLanes.Multiply(x, up);
        slope = TLanes.Subtract(up, TLanes.Multiply(TLanes.Multiply(u, h), up));
        curvature = TLanes.Multiply(bend, TLanes.Broadcast(_curvatureFactor));
        value0 = TLanes.Multiply(TLanes.Multiply(raw, x), bell);
        slope0 = TLanes.Multiply(raw, bend);
    }
}

/// <summary>y = a x + (1 - a) LipSwish(x) with a = sigmoid(alpha); raw parameters (alpha, beta).</summary>
internal readonly struct LeakyLSwish<T, TVector, TLanes> : IActivation<TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    private readonly LipSwish<T, TVector, TLanes> _swish;
    private readonly T _leak;
    private readonly T _rest;
    private readonly T _alphaFactor;

    public LeakyLSwish(double alpha, double beta)
    {
        _swish = new(beta, Activations.LipSwishDivisor);
        double a = ScalarMath.Sigmoid(alpha), rest = ScalarMath.Sigmoid(-alpha);
        _leak = T.CreateTruncating(a);
        _rest = T.CreateTruncating(rest);
        _alphaFactor = T.CreateTruncating(a * rest);
    }

    public static int Parameters => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value(TVector x) =>
        TLanes.MultiplyAdd(TLanes.Broadcast(_rest), _swish.Value(x), TLanes.Multiply(TLanes.Broadcast(_leak), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector ValueSlope(TVector x, out TVector slope)
    {
        TVector y = _swish.ValueSlope(x, out TVector inner);
        TVector rest = TLanes.Broadcast(_rest), leak = TLanes.Broadcast(_leak);
        slope = TLanes.MultiplyAdd(rest, inner, leak);
        return TLanes.MultiplyAdd(rest, y, TLanes.Multiply(leak, x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void At(
        TVector x, out TVector slope, out TVector curvature, out TVector value0, out TVector slope0, out TVector value1,
        out TVector slope1)
    {
        _swish.At(x, out TVector y, out TVector inner, out TVector bend, out TVector byBeta, out TVector slopeByBeta);
        TVector rest = TLanes.Broadcast(_rest), alpha = TLanes.Broadcast(_alphaFactor);
        slope = TLanes.MultiplyAdd(rest, inner, TLanes.Broadcast(_leak));
        curvature = TLanes.Multiply(rest, bend);
        value0 = TLanes.Multiply(alpha, TLanes.Subtract(x, y));
        slope0 = TLanes.Multiply(alpha, TLanes.Subtract(VectorMath<T, TVector, TLanes>.Constant(1), inner));
        value1 = TLanes.Multiply(rest, byBeta);
        slope1 = TLanes.Multiply(rest, slopeByBeta);
    }
}
