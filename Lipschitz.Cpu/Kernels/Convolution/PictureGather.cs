using System.Numerics;
using System.Runtime.CompilerServices;
using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>The neighbours of each pixel side by side, so that a convolution is one product.</summary>
internal static unsafe class PictureGather<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>Bytes of gathered neighbours at a time: they are read once for every panel of the weight.</summary>
    private const int BlockBytes = 128 * 1024;

    /// <summary>y &lt;- w * x + beta y; the packed weight is [taps inputs, outputs].</summary>
    public static void Convolve(ConvolutionShape shape, PackedPanels<T> w, View<T> x, T beta, View<T> y)
    {
        int pixels = shape.Pixels;
        nint row = w.Inner;
        int block = Math.Max(1, BlockBytes / (int)Math.Max(1, row * sizeof(T)) / 12) * 12;
        block = Math.Min(block, pixels);
        T* neighbours = Scratch<T>.Rent(ScratchSlot.Pixels, (block * row) + TLanes.Count);
        for (int start = 0; start < x.Rows; start += pixels)
        {
            T* picture = Pad(shape, x.RowRange(start, pixels));
            for (int pixel = 0; pixel < pixels; pixel += block)
            {
                int count = Math.Min(block, pixels - pixel);
                Gather(shape, picture, x.Columns, pixel, count, neighbours);
                View<T> left = new(neighbours, count, w.Inner, row);
                MatrixProduct<T, TVector, TLanes>.Multiply(left, w, beta, y.RowRange(start + pixel, count));
            }
        }
    }

    /// <summary>gradient += the derivative of sum(yGradient * (w * x)) with respect to w.</summary>
    /// <remarks>
    /// A product over pixels of which one side is gathered: the one with fewer channels. Gathered gradients have the columns in the order of
    /// the weight's rows.
    /// </remarks>
    public static void WeightGradient(ConvolutionShape shape, View<T> x, View<T> yGradient, View<T> gradient)
    {
        int pixels = shape.Pixels, inputs = x.Columns, outputs = yGradient.Columns, taps = shape.Taps;
        bool isOfInput = inputs <= outputs;
        nint row = (nint)taps * Math.Min(inputs, outputs);
        int block = Math.Max(1, 4 * BlockBytes / (int)Math.Max(1, row * sizeof(T)) / 12) * 12;
        block = Math.Min(block, pixels);
        T* neighbours = Scratch<T>.Rent(ScratchSlot.Pixels, (block * row) + TLanes.Count);
        T* sums = isOfInput ? Scratch<T>.Rent(ScratchSlot.Images, outputs * row) : null;
        View<T> columns = new(sums, outputs, (int)row, row);
        for (int start = 0; start < x.Rows; start += pixels)
        {
            T* picture = Pad(shape, (isOfInput ? x : yGradient).RowRange(start, pixels));
            for (int pixel = 0; pixel < pixels; pixel += block)
            {
                int count = Math.Min(block, pixels - pixel);
                View<T> gathered = new(neighbours, count, (int)row, row);
                if (isOfInput)
                {
                    Gather(shape, picture, inputs, pixel, count, neighbours);
                    T beta = start + pixel == 0 ? T.Zero : T.One;
                    MatrixProduct<T, TVector, TLanes>.Multiply(yGradient.RowRange(start + pixel, count), true, gathered, false, beta, columns);
                }
                else
                {
                    GatherByChannel(shape, picture, outputs, pixel, count, neighbours);
                    MatrixProduct<T, TVector, TLanes>.Multiply(gathered, true, x.RowRange(start + pixel, count), false, T.One, gradient);
                }
            }
        }

        for (int o = 0; isOfInput && x.Rows > 0 && o < outputs; o++)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                T* from = columns.Row(o) + ((nint)tap * inputs), to = gradient.Row((o * taps) + tap);
                Elementwise<T, TVector, TLanes>.MapRow(default(Elementwise<T, TVector, TLanes>.Sum), inputs, from, to, to);
            }
        }
    }

    /// <summary>A picture with zeros around it, pixel by pixel without gaps, and a register's room behind it.</summary>
    private static T* Pad(ConvolutionShape shape, View<T> x)
    {
        int border = shape.Kernel / 2, channels = x.Columns;
        nint row = (nint)(shape.Width + (2 * border)) * channels;
        nint length = row * (shape.Height + (2 * border));
        T* padded = Scratch<T>.Rent(ScratchSlot.Picture, length + TLanes.Count);
        Clear(padded, border * row);
        T* to = padded + (border * row);
        for (int i = 0; i < shape.Height; i++)
        {
            Clear(to, (nint)border * channels);
            to += (nint)border * channels;
            View<T> pixels = x.RowRange(i * shape.Width, shape.Width);
            CopyPixels(pixels, to);
            to += (nint)shape.Width * channels;
            Clear(to, (nint)border * channels);
            to += (nint)border * channels;
        }

        Clear(to, (border * row) + TLanes.Count);
        return padded;
    }

    private static void CopyPixels(View<T> pixels, T* to)
    {
        if (pixels.IsContiguous)
        {
            Buffer.MemoryCopy(pixels.Data, to, long.MaxValue, (long)pixels.Rows * pixels.Columns * sizeof(T));
            return;
        }

        for (int i = 0; i < pixels.Rows; i++, to += pixels.Columns)
        {
            T* from = pixels.Row(i);
            if (pixels.Columns < 2 * TLanes.Count)
            {
                for (int c = 0; c < pixels.Columns; c++)
                {
                    to[c] = from[c];
                }
            }
            else
            {
                Buffer.MemoryCopy(from, to, long.MaxValue, (long)pixels.Columns * sizeof(T));
            }
        }
    }

    /// <summary>Row i, columns tap channels + c &lt;- channel c of the pixel under the tap at pixel first + i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather(ConvolutionShape shape, T* padded, int channels, int first, int count, T* to)
    {
        // The taps of one row of the kernel lie side by side. Whole registers are copied; what is too much is overwritten by what follows.
        nint line = (nint)(shape.Width + (2 * (shape.Kernel / 2))) * channels;
        nint run = (nint)shape.Kernel * channels;
        int row = first / shape.Width, column = first - (row * shape.Width);
        for (int i = 0; i < count; i++)
        {
            T* from = padded + (row * line) + ((nint)column * channels);
            for (int k = 0; k < shape.Kernel; k++, from += line, to += run)
            {
                for (nint c = 0; c < run; c += TLanes.Count)
                {
                    TLanes.Store(TLanes.Load(from + c), to + c);
                }
            }

            if (++column == shape.Width)
            {
                column = 0;
                row++;
            }
        }
    }

    /// <summary>Row i, column c taps + tap &lt;- channel c of the pixel that has pixel first + i under the tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GatherByChannel(ConvolutionShape shape, T* padded, int channels, int first, int count, T* to)
    {
        nint line = (nint)(shape.Width + (2 * (shape.Kernel / 2))) * channels;
        int row = first / shape.Width, column = first - (row * shape.Width);
        for (int i = 0; i < count; i++)
        {
            T* from = padded + (row * line) + ((nint)column * channels);
            for (int c = 0; c < channels; c++)
            {
                for (int k = shape.Kernel - 1; k >= 0; k--)
                {
                    for (int j = shape.Kernel - 1; j >= 0; j--)
                    {
                        *to++ = from[(k * line) + ((nint)j * channels) + c];
                    }
                }
            }

            if (++column == shape.Width)
            {
                column = 0;
                row++;
            }
        }
    }

    private static void Clear(T* from, nint count) => new Span<T>(from, (int)count).Clear();
}
