using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>The passes over memory of elementwise activations.</summary>
internal static unsafe class ActivationPasses<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>Columns whose parameter gradients are summed in lanes before they are added up in double.</summary>
    private const int SumRun = 2048;

    /// <summary>y &lt;- f(pre) in the value rows and f'(pre) tangent in the tangent rows.</summary>
    public static void Activate<TF>(TF f, View<T> pre, int valueRows, View<T> y)
        where TF : struct, IActivation<TVector>
    {
        int tangents = valueRows == 0 ? 0 : (pre.Rows / valueRows) - 1;
        if (tangents == 0)
        {
            Elementwise<T, TVector, TLanes>.Map(new ValueOf<TF>(f), pre, y);
            return;
        }

        (int rows, nint n) = Shape(valueRows, pre, pre.IsContiguous && y.IsContiguous);
        nint preBlock = valueRows * pre.Stride, yBlock = valueRows * y.Stride;
        for (int i = 0; i < rows; i++)
        {
            ActivateRow(f, n, tangents, pre.Row(i), preBlock, y.Row(i), yBlock);
        }
    }

    /// <summary>slopes &lt;- f'(pre).</summary>
    public static void Slopes<TF>(TF f, View<T> pre, View<T> slopes)
        where TF : struct, IActivation<TVector> => Elementwise<T, TVector, TLanes>.Map(new SlopeOf<TF>(f), pre, slopes);

    /// <summary>
    /// The adjoint of <see cref="Activate"/>: slope, curvature and the parameters' derivatives are computed again from pre, in one pass,
    /// which costs less than storing and loading them.
    /// </summary>
    public static void Backward<TF>(
        TF f, View<T> pre, int valueRows, View<T> gradient, View<T> preGradient, ref double gradient0, ref double gradient1)
        where TF : struct, IActivation<TVector>
    {
        int tangents = valueRows == 0 ? 0 : (pre.Rows / valueRows) - 1;
        (int rows, nint n) = Shape(valueRows, pre, pre.IsContiguous && gradient.IsContiguous && preGradient.IsContiguous);
        for (int i = 0; i < rows; i++)
        {
            for (nint start = 0; start < n; start += SumRun)
            {
                BackwardRow(
                    f, Math.Min(SumRun, n - start), tangents, pre.Row(i) + start, valueRows * pre.Stride, gradient.Row(i) + start,
                    valueRows * gradient.Stride, preGradient.Row(i) + start, valueRows * preGradient.Stride,
                    out TVector sum0, out TVector sum1);
                gradient0 += double.CreateTruncating(TLanes.Sum(sum0));
                gradient1 += double.CreateTruncating(TLanes.Sum(sum1));
            }
        }
    }

    /// <summary>The value rows as one long row where memory allows: fewer broken registers at the ends.</summary>
    private static (int Rows, nint Columns) Shape(int valueRows, View<T> pre, bool contiguous) =>
        contiguous ? (Math.Min(valueRows, 1), (nint)valueRows * pre.Columns) : (valueRows, pre.Columns);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ActivateRow<TF>(TF f, nint n, int tangents, T* pre, nint preBlock, T* y, nint yBlock)
        where TF : struct, IActivation<TVector>
    {
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            ActivateStep(f, TLanes.Count, tangents, pre + j, preBlock, y + j, yBlock);
        }

        if (j < n)
        {
            ActivateStep(f, n - j, tangents, pre + j, preBlock, y + j, yBlock);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ActivateStep<TF>(TF f, nint count, int tangents, T* pre, nint preBlock, T* y, nint yBlock)
        where TF : struct, IActivation<TVector>
    {
        TVector value = f.ValueSlope(Elementwise<T, TVector, TLanes>.Load(pre, count), out TVector slope);
        Elementwise<T, TVector, TLanes>.Store(value, y, count);
        for (int t = 0; t < tangents; t++)
        {
            pre += preBlock;
            y += yBlock;
            TVector tangent = Elementwise<T, TVector, TLanes>.Load(pre, count);
            Elementwise<T, TVector, TLanes>.Store(TLanes.Multiply(slope, tangent), y, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardRow<TF>(
        TF f, nint n, int tangents, T* pre, nint preBlock, T* gradient, nint gradientBlock, T* result, nint resultBlock,
        out TVector sum0, out TVector sum1)
        where TF : struct, IActivation<TVector>
    {
        TVector s0 = default, s1 = default;
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            BackwardStep(
                f, TLanes.Count, tangents, pre + j, preBlock, gradient + j, gradientBlock, result + j, resultBlock, ref s0, ref s1);
        }

        if (j < n)
        {
            BackwardStep(f, n - j, tangents, pre + j, preBlock, gradient + j, gradientBlock, result + j, resultBlock, ref s0, ref s1);
        }

        sum0 = s0;
        sum1 = s1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BackwardStep<TF>(
        TF f, nint count, int tangents, T* pre, nint preBlock, T* gradient, nint gradientBlock, T* result, nint resultBlock,
        ref TVector sum0, ref TVector sum1)
        where TF : struct, IActivation<TVector>
    {
        f.At(
            Elementwise<T, TVector, TLanes>.Load(pre, count), out TVector slope, out TVector curvature, out TVector value0,
            out TVector slope0, out TVector value1, out TVector slope1);
        TVector g = Elementwise<T, TVector, TLanes>.Load(gradient, count);

        // result may be gradient: each number is read before its place is written.
        TVector bend = default;
        for (int t = 1; t <= tangents; t++)
        {
            TVector tangent = Elementwise<T, TVector, TLanes>.Load(pre + (t * preBlock), count);
            TVector tangentGradient = Elementwise<T, TVector, TLanes>.Load(gradient + (t * gradientBlock), count);
            bend = TLanes.MultiplyAdd(tangent, tangentGradient, bend);
            Elementwise<T, TVector, TLanes>.Store(TLanes.Multiply(slope, tangentGradient), result + (t * resultBlock), count);
        }

        TVector total = TLanes.Multiply(slope, g);
        if (tangents > 0)
        {
            total = TLanes.MultiplyAdd(curvature, bend, total);
        }

        Elementwise<T, TVector, TLanes>.Store(total, result, count);
        if (TF.Parameters > 0)
        {
            sum0 = TLanes.MultiplyAdd(g, value0, TLanes.MultiplyAdd(bend, slope0, sum0));
        }

        if (TF.Parameters > 1)
        {
            sum1 = TLanes.MultiplyAdd(g, value1, TLanes.MultiplyAdd(bend, slope1, sum1));
        }
    }

    private readonly struct ValueOf<TF>(TF f) : IMap<TVector>
        where TF : struct, IActivation<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Apply(TVector x) => f.Value(x);
    }

    private readonly struct SlopeOf<TF>(TF f) : IMap<TVector>
        where TF : struct, IActivation<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Apply(TVector x)
        {
            f.ValueSlope(x, out TVector slope);
            return slope;
        }
    }
}
