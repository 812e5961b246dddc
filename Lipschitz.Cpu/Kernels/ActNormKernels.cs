using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>The affine map of ActNorm, a shift and a scale for each column.</summary>
internal static unsafe class ActNormKernels<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>y &lt;- (x + shift) exp(logScale), logDet_i += rowsPerSample sum(logScale).</summary>
    public static void Forward(View<T> x, View<T> shift, View<T> logScale, int rowsPerSample, View<T> y, View<T> logDet)
    {
        int n = x.Columns;
        View<T> scale = Exponentials(logScale, 1);
        Elementwise<T, TVector, TLanes>.MapWithRow(default(Elementwise<T, TVector, TLanes>.Sum), shift, x, y);
        Elementwise<T, TVector, TLanes>.MapWithRow(default(Elementwise<T, TVector, TLanes>.Product), scale, y, y);
        double sum = 0;
        for (int j = 0; j < n; j++)
        {
            sum += double.CreateTruncating(logScale.Data[j]);
        }

        T total = T.CreateTruncating(rowsPerSample * sum);
        for (int i = 0; i < logDet.Rows; i++)
        {
            *logDet.Row(i) += total;
        }
    }

    /// <summary>x &lt;- y exp(-logScale) - shift.</summary>
    public static void Inverse(View<T> y, View<T> shift, View<T> logScale, View<T> x)
    {
        View<T> scale = Exponentials(logScale, -1);
        Elementwise<T, TVector, TLanes>.MapWithRow(default(Elementwise<T, TVector, TLanes>.Product), scale, y, x);
        Elementwise<T, TVector, TLanes>.MapWithRow(default(ReverseDifference), shift, x, x);
    }

    /// <summary>xGradient &lt;- yGradient exp(logScale), and the gradients of shift and logScale are added to.</summary>
    public static void Backward(
        View<T> y, View<T> logScale, int rowsPerSample, View<T> yGradient, View<T> logDetGradient, View<T> xGradient,
        View<T> shiftGradient, View<T> logScaleGradient)
    {
        int n = y.Columns;
        double logDet = 0;
        for (int i = 0; i < logDetGradient.Rows; i++)
        {
            logDet += double.CreateTruncating(*logDetGradient.Row(i));
        }

        T shared = T.CreateTruncating(rowsPerSample * logDet);
        T* dots = Scratch<T>.Rent(ScratchSlot.Result, n);
        new Span<T>(dots, n).Clear();
        for (int i = 0; i < y.Rows; i++)
        {
            Reductions<T, TVector, TLanes>.AddProducts(n, yGradient.Row(i), y.Row(i), dots);
        }

        for (int j = 0; j < n; j++)
        {
            logScaleGradient.Data[j] += dots[j] + shared;
        }

        View<T> scale = Exponentials(logScale, 1);
        Elementwise<T, TVector, TLanes>.MapWithRow(default(Elementwise<T, TVector, TLanes>.Product), scale, yGradient, xGradient);
        Reductions<T, TVector, TLanes>.ColumnSums(xGradient, T.One, shiftGradient);
    }

    /// <summary>exp(sign logScale) in scratch memory.</summary>
    private static View<T> Exponentials(View<T> logScale, double sign)
    {
        int n = logScale.Columns;
        T* scale = Scratch<T>.Rent(ScratchSlot.Vector, n);
        for (int j = 0; j < n; j++)
        {
            scale[j] = T.CreateTruncating(Math.Exp(sign * double.CreateTruncating(logScale.Data[j])));
        }

        return new(scale, 1, n, n);
    }

    /// <summary>y - x.</summary>
    private readonly struct ReverseDifference : IMap2<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Apply(TVector x, TVector y) => TLanes.Subtract(y, x);
    }
}
