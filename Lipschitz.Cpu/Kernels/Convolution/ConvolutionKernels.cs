using System.Numerics;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>Convolutions by the method of their plan.</summary>
internal static unsafe class ConvolutionKernels<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>The plan for this width of registers.</summary>
    public static ConvolutionPlan Plan(Backends.ConvolutionShape shape, int inputs, int outputs) =>
        new(shape, inputs, outputs, MicroKernels<T, TVector, TLanes>.Columns, TLanes.Count);

    /// <summary>The numbers of memory that the packed weight takes; zeros at first.</summary>
    public static int Length(ConvolutionPlan plan) => plan.Method switch
    {
        ConvolutionMethod.Winograd2 => Winograd<T, TVector, TLanes, WinogradTile2<T, TVector, TLanes>>.Length(plan.Inputs, plan.Outputs),
        ConvolutionMethod.Winograd4 => Winograd<T, TVector, TLanes, WinogradTile4<T, TVector, TLanes>>.Length(plan.Inputs, plan.Outputs),
        _ => PackedPanels<T>.Length(plan.PackedInner, plan.PackedColumns, plan.Width, plan.Lanes),
    };

    /// <summary>Inputs start.. of the packed weight &lt;- those of a weight [outputs taps, k], or [k taps, outputs] if adjoint.</summary>
    public static void Pack(ConvolutionPlan plan, View<T> weight, bool adjoint, int start, T* packed)
    {
        int taps = plan.Shape.Taps;
        switch (plan.Method)
        {
            case ConvolutionMethod.Winograd2:
                Winograd<T, TVector, TLanes, WinogradTile2<T, TVector, TLanes>>.Pack(
                    weight, adjoint, plan.Inputs, plan.Outputs, start, packed);
                break;
            case ConvolutionMethod.Winograd4:
                Winograd<T, TVector, TLanes, WinogradTile4<T, TVector, TLanes>>.Pack(
                    weight, adjoint, plan.Inputs, plan.Outputs, start, packed);
                break;
            case ConvolutionMethod.Scatter:
                PictureScatter<T, TVector, TLanes>.Pack(plan.Shape, weight, adjoint, start, plan.Outputs, Panels(plan, packed));
                break;
            default:
                for (int tap = 0; tap < taps; tap++)
                {
                    // The adjoint reads the pixel that the convolution writes: each offset changes its sign.
                    int first = adjoint ? taps - 1 - tap : tap;
                    View<T> ofTap = new(weight.Row(first), weight.Rows / taps, weight.Columns, weight.Stride * taps);
                    Panels(plan, packed).Pack(ofTap, !adjoint, (tap * plan.Inputs) + start);
                }

                break;
        }
    }

    /// <summary>y &lt;- w * x + beta y, then + bias in the first rows; a bias of null is none.</summary>
    public static void Convolve(ConvolutionPlan plan, T* packed, View<T> x, T beta, T* bias, int biasRows, View<T> y)
    {
        if (y.Rows == 0 || y.Columns == 0)
        {
            return;
        }

        switch (plan.Method)
        {
            case ConvolutionMethod.Winograd2:
                Winograd<T, TVector, TLanes, WinogradTile2<T, TVector, TLanes>>.Convolve(plan, packed, x, beta, bias, biasRows, y);
                return;
            case ConvolutionMethod.Winograd4:
                Winograd<T, TVector, TLanes, WinogradTile4<T, TVector, TLanes>>.Convolve(plan, packed, x, beta, bias, biasRows, y);
                return;
            case ConvolutionMethod.Scatter:
                PictureScatter<T, TVector, TLanes>.Convolve(plan.Shape, Panels(plan, packed), x, beta, y);
                break;
            case ConvolutionMethod.Gather:
                PictureGather<T, TVector, TLanes>.Convolve(plan.Shape, Panels(plan, packed), x, beta, y);
                break;
            default:
                MatrixProduct<T, TVector, TLanes>.Multiply(x, Panels(plan, packed), beta, y);
                break;
        }

        if (bias is not null)
        {
            View<T> rows = y.RowRange(0, biasRows);
            Elementwise<T, TVector, TLanes>.MapWithRow(
                default(Elementwise<T, TVector, TLanes>.Sum), new(bias, 1, y.Columns, y.Columns), rows, rows);
        }
    }

    /// <summary>gradient += the derivative of sum(yGradient * (w * x)) with respect to w.</summary>
    public static void WeightGradient(ConvolutionPlan plan, View<T> x, View<T> yGradient, View<T> gradient)
    {
        if (gradient.Rows == 0 || gradient.Columns == 0 || x.Rows == 0)
        {
            return;
        }

        switch (plan.Method)
        {
            case ConvolutionMethod.Winograd2:
                Winograd<T, TVector, TLanes, WinogradTile2<T, TVector, TLanes>>.WeightGradient(plan, x, yGradient, gradient);
                break;
            case ConvolutionMethod.Winograd4:
                Winograd<T, TVector, TLanes, WinogradTile4<T, TVector, TLanes>>.WeightGradient(plan, x, yGradient, gradient);
                break;
            case ConvolutionMethod.Product:
                MatrixProduct<T, TVector, TLanes>.Multiply(yGradient, true, x, false, T.One, gradient);
                break;
            default:
                PictureGather<T, TVector, TLanes>.WeightGradient(plan.Shape, x, yGradient, gradient);
                break;
        }
    }

    private static PackedPanels<T> Panels(ConvolutionPlan plan, T* packed) =>
        new(packed, plan.PackedInner, plan.PackedColumns, plan.Width, plan.Lanes);
}
