using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>Convolutions with kernel 3 by Winograd's minimal filtering: a product [tiles, inputs] [inputs, outputs] for each plane.</summary>
/// <remarks>
/// <para>
/// Tiles are taken in blocks; the packed weights, [panel of outputs][plane][inputs][width], stream by once a block. Grouping the panels, so
/// that less lies between products and their transform, was measured and is slower.
/// </para>
/// <para>Each number of a plane is one chain of multiply-adds over the inputs: a picture's result does not depend on the others of its batch.</para>
/// </remarks>
internal static unsafe class Winograd<T, TVector, TLanes, TTile>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
    where TTile : struct, IWinogradTile<T, TVector>
{
    /// <summary>
    /// Tiles at a time. More of them read the packed weights less often, from the third-level cache or memory; fewer keep what is between the
    /// transforms and the products in the second-level cache. Measured on Zen 3 with 512 KiB: 24 to 72 are within 3% up to 260 inputs; at
    /// 512, 48 costs 9% and 24 a quarter.
    /// </summary>
    private const int TileBlock = 72;

    /// <summary>Tiles at a time where few inputs leave room for them.</summary>
    private const int SmallTileBlock = 48;

    private const int ManyInputs = 192;

    private static int Planes => TTile.Size * TTile.Size;

    private static int Width => MicroKernels<T, TVector, TLanes>.Columns;

    /// <summary>The numbers of memory that packed weights take.</summary>
    public static int Length(int inputs, int outputs) => checked((outputs + Width - 1) / Width * Width * Planes * inputs);

    /// <summary>Inputs start.. of the packed weights &lt;- those of a weight [outputs 9, k], or [k 9, outputs] if adjoint.</summary>
    public static void Pack(View<T> weight, bool adjoint, int inputs, int outputs, int start, T* packed)
    {
        if (adjoint)
        {
            PackAdjoint(weight, inputs, outputs, start, packed);
        }
        else
        {
            PackForward(weight, inputs, outputs, start, packed);
        }
    }

    /// <summary>y &lt;- w * x + beta y, + bias in the first rows; a bias of null is none.</summary>
    public static void Convolve(ConvolutionPlan plan, T* packed, View<T> x, T beta, T* bias, int biasRows, View<T> y)
    {
        int inputs = plan.Inputs, panels = plan.Panels;
        var tiles = new PictureTiles<T>(plan.Shape, x.Rows / plan.Shape.Pixels, TTile.Outputs);
        nint vRow = RoundUp(inputs, TLanes.Count);
        int block = Balanced(tiles.Count, inputs < ManyInputs ? SmallTileBlock : TileBlock);
        nint vPlane = Staggered(block * vRow), mRow = (nint)panels * Width, mPlane = Staggered(block * mRow);
        T* v = Scratch<T>.Rent(ScratchSlot.Pixels, Planes * vPlane);
        T* m = Scratch<T>.Rent(ScratchSlot.Images, Planes * mPlane);
        T* zeros = Zeros(inputs);
        int biasPictures = bias is null ? 0 : biasRows / plan.Shape.Pixels;
        for (int tile = 0; tile < tiles.Count; tile += block)
        {
            int count = Math.Min(block, tiles.Count - tile);
            TransformInputs(tiles, tile, count, x, zeros, v, vRow, vPlane);
            for (int p = 0; p < Planes; p++)
            {
                for (int panel = 0; panel < panels; panel++)
                {
                    MatrixProduct<T, TVector, TLanes>.MultiplyPanel(
                        count, inputs, v + (p * vPlane), vRow, 1, packed + ((((nint)panel * Planes) + p) * inputs * Width), Width,
                        m + (p * mPlane) + (panel * Width), mRow, false);
                }
            }

            TransformOutputs(tiles, tile, count, m, mRow, mPlane, beta, bias, biasPictures, y);
        }
    }

    /// <summary>gradient += the derivative of sum(yGradient * (w * x)) with respect to w.</summary>
    /// <remarks>The derivative with respect to each plane's weight is a product over tiles; the adjoint of the weight's transform ends it.</remarks>
    public static void WeightGradient(ConvolutionPlan plan, View<T> x, View<T> yGradient, View<T> gradient)
    {
        int inputs = plan.Inputs, outputs = plan.Outputs;
        var tiles = new PictureTiles<T>(plan.Shape, x.Rows / plan.Shape.Pixels, TTile.Outputs);
        nint vRow = RoundUp(inputs, Width), gRow = RoundUp(outputs, TLanes.Count);
        int block = Balanced(tiles.Count, TileBlock);
        nint vPlane = Staggered(block * vRow), gPlane = Staggered(block * gRow), dPlane = Staggered(outputs * vRow);
        T* v = Scratch<T>.Rent(ScratchSlot.Pixels, Planes * vPlane);
        T* g = Scratch<T>.Rent(ScratchSlot.Images, Planes * gPlane);
        T* d = Scratch<T>.Rent(ScratchSlot.Weight, Planes * dPlane);
        T* zeros = Zeros(Math.Max(inputs, outputs));
        for (int tile = 0; tile < tiles.Count; tile += block)
        {
            int count = Math.Min(block, tiles.Count - tile);
            TransformInputs(tiles, tile, count, x, zeros, v, vRow, vPlane);
            TransformGradients(tiles, tile, count, yGradient, zeros, g, gRow, gPlane);
            for (int p = 0; p < Planes; p++)
            {
                for (nint c = 0; c < vRow; c += Width)
                {
                    MatrixProduct<T, TVector, TLanes>.MultiplyPanel(
                        outputs, count, g + (p * gPlane), 1, gRow, v + (p * vPlane) + c, vRow, d + (p * dPlane) + c, vRow, tile > 0);
                }
            }
        }

        if (tiles.Count > 0)
        {
            AddWeights(d, vRow, dPlane, inputs, outputs, gradient);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformInputs(
        PictureTiles<T> tiles, int first, int count, View<T> x, T* zeros, T* v, nint row, nint plane)
    {
        T** pixels = stackalloc T*[Planes];
        T* work = stackalloc T[Planes * TLanes.Count];
        for (int i = 0; i < count; i++, v += row)
        {
            tiles.Pixels(x, first + i, 1, TTile.Size, zeros, pixels);
            nint c = 0;
            for (; c + TLanes.Count <= x.Columns; c += TLanes.Count)
            {
                TTile.Input(pixels, c, work, v + c, plane);
            }

            // The last register overlaps the one before.
            if (c < x.Columns)
            {
                c = x.Columns - TLanes.Count;
                TTile.Input(pixels, c, work, v + c, plane);
            }
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformGradients(
        PictureTiles<T> tiles, int first, int count, View<T> x, T* zeros, T* g, nint row, nint plane)
    {
        T** pixels = stackalloc T*[TTile.Outputs * TTile.Outputs];
        T* work = stackalloc T[Planes * TLanes.Count];
        for (int i = 0; i < count; i++, g += row)
        {
            tiles.Pixels(x, first + i, 0, TTile.Outputs, zeros, pixels);
            nint c = 0;
            for (; c + TLanes.Count <= x.Columns; c += TLanes.Count)
            {
                TTile.OutputAdjoint(pixels, c, work, g + c, plane);
            }

            if (c < x.Columns)
            {
                c = x.Columns - TLanes.Count;
                TTile.OutputAdjoint(pixels, c, work, g + c, plane);
            }
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformOutputs(
        PictureTiles<T> tiles, int first, int count, T* m, nint row, nint plane, T beta, T* bias, int biasPictures, View<T> y)
    {
        int size = TTile.Outputs * TTile.Outputs;
        T** pixels = stackalloc T*[size];
        T* work = stackalloc T[Planes * TLanes.Count];
        T* results = stackalloc T[size * TLanes.Count];
        TVector factor = TLanes.Broadcast(beta);
        bool isAdded = beta != T.Zero;
        for (int i = 0; i < count; i++, m += row)
        {
            tiles.Pixels(y, first + i, 0, TTile.Outputs, null, pixels);
            T* add = tiles.Picture(first + i) < biasPictures ? bias : null;
            for (nint c = 0; c < y.Columns; c += TLanes.Count)
            {
                TTile.Output(m + c, plane, work, results);
                nint columns = Math.Min(y.Columns - c, TLanes.Count);
                TVector offset = add is null ? default : Elementwise<T, TVector, TLanes>.Load(add + c, columns);
                for (int p = 0; p < size; p++)
                {
                    T* to = pixels[p] + c;
                    if (pixels[p] is null)
                    {
                        continue;
                    }

                    TVector value = TLanes.Add(TLanes.Load(results + (p * TLanes.Count)), offset);
                    if (columns == TLanes.Count)
                    {
                        TLanes.Store(isAdded ? TLanes.MultiplyAdd(factor, TLanes.Load(to), value) : value, to);
                    }
                    else
                    {
                        value = isAdded ? TLanes.MultiplyAdd(factor, TLanes.LoadPartial(to, columns), value) : value;
                        TLanes.StorePartial(value, to, columns);
                    }
                }
            }
        }
    }

    /// <summary>Registers of outputs, as they lie in the weight and in the panels.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackAdjoint(View<T> weight, int inputs, int outputs, int start, T* packed)
    {
        T* kernel = stackalloc T[9 * TLanes.Count];
        for (nint o = 0; o < outputs; o += TLanes.Count)
        {
            nint count = Math.Min(outputs - o, TLanes.Count);
            T* panel = packed + (((o / Width * Planes * inputs) + start) * Width) + (o % Width);
            for (int c = 0; c < weight.Rows / 9; c++, panel += Width)
            {
                for (int tap = 0; tap < 9; tap++)
                {
                    // The adjoint reads the pixel that the convolution writes: each offset changes its sign.
                    TLanes.Store(Elementwise<T, TVector, TLanes>.Load(weight.Row((9 * c) + 8 - tap) + o, count), kernel + (tap * TLanes.Count));
                }

                PackKernels(kernel, panel, (nint)inputs * Width);
            }
        }
    }

    /// <summary>Registers of outputs, of which each comes from another row of the weight: first the numbers of some inputs are turned over.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackForward(View<T> weight, int inputs, int outputs, int start, T* packed)
    {
        const int block = 16;
        T* kernels = stackalloc T[block * 9 * TLanes.Count];
        new Span<T>(kernels, block * 9 * TLanes.Count).Clear();
        for (nint o = 0; o < outputs; o += TLanes.Count)
        {
            int rows = 9 * (int)Math.Min(outputs - o, TLanes.Count);
            T* panel = packed + (((o / Width * Planes * inputs) + start) * Width) + (o % Width);
            for (int c = 0; c < weight.Columns; c += block)
            {
                int count = Math.Min(block, weight.Columns - c);
                for (int row = 0; row < rows; row++)
                {
                    T* from = weight.Row((int)(9 * o) + row) + c, to = kernels + ((row % 9) * TLanes.Count) + (row / 9);
                    for (int i = 0; i < count; i++, to += 9 * TLanes.Count)
                    {
                        *to = from[i];
                    }
                }

                for (int i = 0; i < count; i++, panel += Width)
                {
                    PackKernels(kernels + (i * 9 * TLanes.Count), panel, (nint)inputs * Width);
                }
            }
        }
    }

    /// <summary>The planes of a register of kernels into their panels.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackKernels(T* kernels, T* panel, nint plane)
    {
        T* work = stackalloc T[Planes * TLanes.Count];
        T* planes = stackalloc T[Planes * TLanes.Count];
        TTile.Weight(kernels, work, planes);
        for (int p = 0; p < Planes; p++, panel += plane)
        {
            TLanes.Store(TLanes.Load(planes + (p * TLanes.Count)), panel);
        }
    }

    /// <summary>gradient += G' d G.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddWeights(T* d, nint row, nint plane, int inputs, int outputs, View<T> gradient)
    {
        T* kernel = stackalloc T[9 * TLanes.Count];
        T* work = stackalloc T[Planes * TLanes.Count];
        for (int o = 0; o < outputs; o++)
        {
            for (nint c = 0; c < inputs; c += TLanes.Count)
            {
                TTile.WeightAdjoint(d + (o * row) + c, plane, work, kernel);
                nint count = Math.Min(inputs - c, TLanes.Count);
                for (int tap = 0; tap < 9; tap++)
                {
                    T* to = gradient.Row((9 * o) + tap) + c;
                    TVector sum = TLanes.Add(Elementwise<T, TVector, TLanes>.Load(to, count), TLanes.Load(kernel + (tap * TLanes.Count)));
                    Elementwise<T, TVector, TLanes>.Store(sum, to, count);
                }
            }
        }
    }

    /// <summary>A pixel outside of every picture.</summary>
    private static T* Zeros(int channels)
    {
        T* zeros = Scratch<T>.Rent(ScratchSlot.Vector, channels);
        new Span<T>(zeros, channels).Clear();
        return zeros;
    }

    private static nint RoundUp(nint count, nint unit) => (count + unit - 1) / unit * unit;

    /// <summary>Parts of about equal length, a whole number of units, at most about so many.</summary>
    private static int Balanced(int count, int most)
    {
        const int unit = 12; // the rows of the highest micro-kernel
        int parts = Math.Max(1, (count + most - 1) / most);
        return (int)RoundUp(Math.Max(1, (count + parts - 1) / parts), unit);
    }

    /// <summary>A distance of planes that spreads them over the sets of the caches: an odd number of cache lines.</summary>
    private static nint Staggered(nint count)
    {
        nint line = 64 / sizeof(T);
        return (((count + line - 1) / line) | 1) * line;
    }
}
