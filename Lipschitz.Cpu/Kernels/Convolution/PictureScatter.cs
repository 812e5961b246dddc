using System.Numerics;
using System.Runtime.CompilerServices;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>
/// Convolutions with few outputs: the product of each pixel with the weights of all taps, [pixels, inputs] [inputs, taps outputs], then
/// each output is the sum of its neighbours' numbers for it. Gathering would copy each input once a tap, for a product a few columns wide.
/// </summary>
internal static unsafe class PictureScatter<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>Inputs start.. of the packed [inputs, taps outputs] &lt;- those of a weight [outputs taps, k], or [k taps, outputs] if adjoint.</summary>
    public static void Pack(ConvolutionShape shape, View<T> weight, bool adjoint, int start, int outputs, PackedPanels<T> packed)
    {
        int taps = shape.Taps;
        int inputs = adjoint ? weight.Rows / taps : weight.Columns;
        for (int tap = 0; tap < taps; tap++)
        {
            for (int o = 0; o < outputs; o++)
            {
                int column = (tap * outputs) + o;
                T* to = packed.Data + (((((nint)column / packed.Width) * packed.Inner) + start) * packed.Width) + (column % packed.Width);
                for (int c = 0; c < inputs; c++, to += packed.Width)
                {
                    *to = adjoint ? weight.Row((c * taps) + taps - 1 - tap)[o] : weight.Row((o * taps) + tap)[c];
                }
            }
        }
    }

    /// <summary>y &lt;- w * x + beta y.</summary>
    public static void Convolve(ConvolutionShape shape, PackedPanels<T> w, View<T> x, T beta, View<T> y)
    {
        int pixels = shape.Pixels;
        int row = (w.Columns + w.Width - 1) / w.Width * w.Width;
        T* products = Scratch<T>.Rent(ScratchSlot.Images, ((nint)pixels * row) + TLanes.Count);
        for (int start = 0; start < x.Rows; start += pixels)
        {
            MatrixProduct<T, TVector, TLanes>.Multiply(x.RowRange(start, pixels), w, T.Zero, new(products, pixels, row, row));
            Sum(shape, products, row, beta, y.RowRange(start, pixels));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(ConvolutionShape shape, T* products, nint row, T beta, View<T> y)
    {
        int border = shape.Kernel / 2;
        TVector factor = TLanes.Broadcast(beta);
        for (int i = 0; i < shape.Height; i++)
        {
            int top = Math.Max(0, border - i), bottom = Math.Min(shape.Kernel, shape.Height + border - i);
            for (int j = 0; j < shape.Width; j++)
            {
                int left = Math.Max(0, border - j), right = Math.Min(shape.Kernel, shape.Width + border - j);
                T* to = y.Row((i * shape.Width) + j);
                for (nint o = 0; o < y.Columns; o += TLanes.Count)
                {
                    TVector sum = default;
                    for (int k = top; k < bottom; k++)
                    {
                        T* from = products + ((((nint)(i + k - border) * shape.Width) + j - border) * row) + ((nint)k * shape.Kernel * y.Columns) + o;
                        for (nint l = left; l < right; l++)
                        {
                            sum = TLanes.Add(sum, TLanes.Load(from + (l * (row + y.Columns))));
                        }
                    }

                    nint count = Math.Min(y.Columns - o, TLanes.Count);
                    if (beta != T.Zero)
                    {
                        sum = TLanes.MultiplyAdd(factor, Elementwise<T, TVector, TLanes>.Load(to + o, count), sum);
                    }

                    Elementwise<T, TVector, TLanes>.Store(sum, to + o, count);
                }
            }
        }
    }
}
