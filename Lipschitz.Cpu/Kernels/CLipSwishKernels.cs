using System.Numerics;
using System.Runtime.CompilerServices;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels;

/// <summary>CLipSwish, two outputs an input.</summary>
internal static unsafe class CLipSwishKernels<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>CLipSwish is this LipSwish at x and at -x.</summary>
    public static LipSwish<T, TVector, TLanes> Half(double beta) =>
        new(beta, Activations.LipSwishDivisor * Activations.CLipSwishDivisor);

    /// <summary>y &lt;- [f(x), f(-x)] in the value rows and the slopes times the tangents below.</summary>
    public static void Activate(LipSwish<T, TVector, TLanes> f, View<T> pre, int valueRows, View<T> y)
    {
        int tangents = valueRows == 0 ? 0 : (pre.Rows / valueRows) - 1;
        for (int i = 0; i < valueRows; i++)
        {
            ActivateRow(f, pre.Columns, tangents, pre.Row(i), valueRows * pre.Stride, y.Row(i), valueRows * y.Stride);
        }
    }

    /// <summary>slopes [rows, 2n] &lt;- the derivatives of both outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Slopes(LipSwish<T, TVector, TLanes> f, View<T> pre, View<T> slopes)
    {
        nint n = pre.Columns;
        for (int i = 0; i < pre.Rows; i++)
        {
            T* x = pre.Row(i), s = slopes.Row(i);
            nint j = 0;
            for (; j + TLanes.Count <= n; j += TLanes.Count)
            {
                SlopesStep(f, n, TLanes.Count, x + j, s + j);
            }

            if (j < n)
            {
                SlopesStep(f, n, n - j, x + j, s + j);
            }
        }
    }

    /// <summary>The adjoint of <see cref="Activate"/>; parameterGradient is added to.</summary>
    public static void Backward(
        LipSwish<T, TVector, TLanes> f, View<T> pre, int valueRows, View<T> gradient, View<T> preGradient, ref double parameterGradient)
    {
        int tangents = valueRows == 0 ? 0 : (pre.Rows / valueRows) - 1;
        for (int i = 0; i < valueRows; i++)
        {
            parameterGradient += BackwardRow(
                f, pre.Columns, tangents, pre.Row(i), valueRows * pre.Stride, gradient.Row(i), valueRows * gradient.Stride,
                preGradient.Row(i), valueRows * preGradient.Stride);
        }
    }

    /// <summary>result_j &lt;- s_j w_j + s_(n+j) w_(n+j).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Vjp(View<T> slopes, View<T> w, View<T> result)
    {
        nint n = result.Columns;
        for (int i = 0; i < w.Rows; i++)
        {
            T* s = slopes.Row(i % slopes.Rows), from = w.Row(i), to = result.Row(i);
            nint j = 0;
            for (; j + TLanes.Count <= n; j += TLanes.Count)
            {
                VjpStep(n, TLanes.Count, s + j, from + j, to + j);
            }

            if (j < n)
            {
                VjpStep(n, n - j, s + j, from + j, to + j);
            }
        }
    }

    /// <summary>result_j &lt;- s_j t_j, result_(n+j) &lt;- s_(n+j) t_j.</summary>
    public static void Jvp(View<T> slopes, View<T> t, View<T> result)
    {
        nint n = t.Columns;
        for (int i = 0; i < t.Rows; i++)
        {
            T* s = slopes.Row(i % slopes.Rows), from = t.Row(i), to = result.Row(i);
            Elementwise<T, TVector, TLanes>.MapRow(default(Elementwise<T, TVector, TLanes>.Product), n, s, from, to);
            Elementwise<T, TVector, TLanes>.MapRow(default(Elementwise<T, TVector, TLanes>.Product), n, s + n, from, to + n);
        }
    }

    // Each step below is inlined twice: with a whole register, where its loads and stores are single instructions, and for the rest.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SlopesStep(LipSwish<T, TVector, TLanes> f, nint n, nint count, T* x, T* slopes)
    {
        f.Both(Elementwise<T, TVector, TLanes>.Load(x, count), out _, out TVector up, out _, out TVector down);
        Elementwise<T, TVector, TLanes>.Store(up, slopes, count);
        Elementwise<T, TVector, TLanes>.Store(down, slopes + n, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void VjpStep(nint n, nint count, T* slopes, T* w, T* result)
    {
        TVector up = TLanes.Multiply(
            Elementwise<T, TVector, TLanes>.Load(slopes, count), Elementwise<T, TVector, TLanes>.Load(w, count));
        up = TLanes.MultiplyAdd(
            Elementwise<T, TVector, TLanes>.Load(slopes + n, count), Elementwise<T, TVector, TLanes>.Load(w + n, count), up);
        Elementwise<T, TVector, TLanes>.Store(up, result, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ActivateRow(
        LipSwish<T, TVector, TLanes> f, nint n, int tangents, T* pre, nint preBlock, T* y, nint yBlock)
    {
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            ActivateStep(f, n, TLanes.Count, tangents, pre + j, preBlock, y + j, yBlock);
        }

        if (j < n)
        {
            ActivateStep(f, n, n - j, tangents, pre + j, preBlock, y + j, yBlock);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ActivateStep(
        LipSwish<T, TVector, TLanes> f, nint n, nint count, int tangents, T* pre, nint preBlock, T* y, nint yBlock)
    {
        f.Both(
            Elementwise<T, TVector, TLanes>.Load(pre, count), out TVector value, out TVector up, out TVector mirrored, out TVector down);
        Elementwise<T, TVector, TLanes>.Store(value, y, count);
        Elementwise<T, TVector, TLanes>.Store(mirrored, y + n, count);
        for (int t = 0; t < tangents; t++)
        {
            pre += preBlock;
            y += yBlock;
            TVector tangent = Elementwise<T, TVector, TLanes>.Load(pre, count);
            Elementwise<T, TVector, TLanes>.Store(TLanes.Multiply(up, tangent), y, count);
            Elementwise<T, TVector, TLanes>.Store(TLanes.Multiply(down, tangent), y + n, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double BackwardRow(
        LipSwish<T, TVector, TLanes> f, nint n, int tangents, T* pre, nint preBlock, T* gradient, nint gradientBlock, T* result,
        nint resultBlock)
    {
        TVector sum = default;
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            sum = BackwardStep(
                f, n, TLanes.Count, tangents, pre + j, preBlock, gradient + j, gradientBlock, result + j, resultBlock, sum);
        }

        if (j < n)
        {
            sum = BackwardStep(f, n, n - j, tangents, pre + j, preBlock, gradient + j, gradientBlock, result + j, resultBlock, sum);
        }

        return double.CreateTruncating(TLanes.Sum(sum));
    }

    /// <summary>
    /// With m(x) = f(-x) = f(x) - x/divisor: m' = f' - 1/divisor, and second derivatives and derivatives by beta are the same.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector BackwardStep(
        LipSwish<T, TVector, TLanes> f, nint n, nint count, int tangents, T* pre, nint preBlock, T* gradient, nint gradientBlock,
        T* result, nint resultBlock, TVector sum)
    {
        TVector x = Elementwise<T, TVector, TLanes>.Load(pre, count);
        f.At(x, out _, out TVector up, out TVector curvature, out TVector byBeta, out TVector slopeByBeta);
        TVector down = TLanes.Subtract(up, f.InverseDivisor);
        TVector bend = default;
        for (int t = 1; t <= tangents; t++)
        {
            T* g = gradient + (t * gradientBlock);
            TVector first = Elementwise<T, TVector, TLanes>.Load(g, count), second = Elementwise<T, TVector, TLanes>.Load(g + n, count);
            TVector tangent = Elementwise<T, TVector, TLanes>.Load(pre + (t * preBlock), count);
            bend = TLanes.MultiplyAdd(TLanes.Add(first, second), tangent, bend);
            TVector back = TLanes.MultiplyAdd(up, first, TLanes.Multiply(down, second));
            Elementwise<T, TVector, TLanes>.Store(back, result + (t * resultBlock), count);
        }

        TVector g0 = Elementwise<T, TVector, TLanes>.Load(gradient, count);
        TVector g1 = Elementwise<T, TVector, TLanes>.Load(gradient + n, count);
        TVector total = TLanes.MultiplyAdd(up, g0, TLanes.Multiply(down, g1));
        if (tangents > 0)
        {
            total = TLanes.MultiplyAdd(curvature, bend, total);
        }

        Elementwise<T, TVector, TLanes>.Store(total, result, count);
        return TLanes.MultiplyAdd(TLanes.Add(g0, g1), byBeta, TLanes.MultiplyAdd(bend, slopeByBeta, sum));
    }
}
