using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>c &lt;- a b + beta c by blocks: which part of a and b is in which cache while the micro-kernels run.</summary>
internal static unsafe class MatrixProduct<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>
    /// Rows of b at a time: a panel [384, 2 registers] is three quarters of a first-level cache of 32 KiB with AVX2. Measured on Zen 3:
    /// 256 costs 10% at an inner length of 362, where c is then passed twice; 192 and 512 are slower on large squares.
    /// </summary>
    private const int InnerBlock = 384;

    /// <summary>Bytes of a at a time: a part of the second-level cache that leaves room for b and c.</summary>
    private const int LeftBlockBytes = 128 * 1024;

    private static int PanelColumns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => MicroKernels<T, TVector, TLanes>.Columns;
    }

    /// <summary>c &lt;- a b + beta c. a [m, inner], b [inner, n], c [m, n].</summary>
    public static void Multiply(View<T> a, PackedPanels<T> b, T beta, View<T> c)
    {
        bool accumulate = Prepare(a.Columns, beta, c);
        if (a.Columns == 0 || c.Rows == 0 || c.Columns == 0)
        {
            return;
        }

        if (b.IsNarrow)
        {
            NarrowProducts<T, TVector, TLanes>.Multiply(a, b, accumulate, c);
        }
        else if (a.Columns <= 2)
        {
            NarrowProducts<T, TVector, TLanes>.MultiplyOuter(a, b, accumulate, c);
        }
        else
        {
            nint panel = (nint)b.Inner * PanelColumns;
            Run(c.Rows, c.Columns, a.Columns, a.Data, a.Stride, 1, b.Data, panel, PanelColumns, accumulate, c);
        }
    }

    /// <summary>c &lt;- op(a) op(b) + beta c.</summary>
    public static void Multiply(View<T> a, bool transposeA, View<T> b, bool transposeB, T beta, View<T> c)
    {
        int k = transposeA ? a.Rows : a.Columns;
        bool accumulate = Prepare(k, beta, c);
        if (k == 0 || c.Rows == 0 || c.Columns == 0)
        {
            return;
        }

        if (c.Columns < TLanes.Count && c.Rows > c.Columns && transposeA && !transposeB)
        {
            MultiplyTransposed(a, b, accumulate, c);
            return;
        }

        (nint aRow, nint aInner) = transposeA ? ((nint)1, a.Stride) : (a.Stride, 1);

        // Rows of b that are far apart cross cache lines and pages in the kernel: from some rows of c on, a copy pays.
        if (transposeB || c.Rows > 2 * MicroKernels<T, TVector, TLanes>.MaxRows)
        {
            RunPacking(k, a.Data, aRow, aInner, b, transposeB, accumulate, c);
            return;
        }

        // Rows of b as they lie, but for the columns beyond the last full panel.
        int full = c.Columns / PanelColumns * PanelColumns;
        Run(c.Rows, full, k, a.Data, aRow, aInner, b.Data, PanelColumns, b.Stride, accumulate, c);
        if (full < c.Columns)
        {
            View<T> rest = new(b.Data + full, b.Rows, b.Columns - full, b.Stride);
            RunPacking(k, a.Data, aRow, aInner, rest, false, accumulate, new(c.Data + full, c.Rows, c.Columns - full, c.Stride));
        }
    }

    /// <summary>
    /// One panel: c [m, 2 registers] &lt;- (or +=) a [m, k] b [k, 2 registers]. Element (i, p) of a is at <c>a[i aRow + p aInner]</c>, row p of
    /// b at <c>b[p bRow]</c>. For factors that stay in the caches as they lie.
    /// </summary>
    public static void MultiplyPanel(int m, int k, T* a, nint aRow, nint aInner, T* b, nint bRow, T* c, nint cRow, bool accumulate)
    {
        int parts = (k + InnerBlock - 1) / InnerBlock;
        for (int part = 0, start = 0; part < parts; part++)
        {
            int end = (int)((long)k * (part + 1) / parts);
            var left = new Left(a + (start * aInner), MicroKernels<T, TVector, TLanes>.MaxRows * aRow, aRow, aInner, end - start);
            Tiles(left, 0, m, b + (start * bRow), bRow, c, cRow, accumulate || part > 0);
            start = end;
        }
    }

    /// <summary>Deals with the cases beta = 0 and general beta; returns whether the product is to be added.</summary>
    private static bool Prepare(int k, T beta, View<T> c)
    {
        if (beta == T.Zero)
        {
            if (k == 0)
            {
                Elementwise<T, TVector, TLanes>.Fill(c, T.Zero);
            }

            return false;
        }

        if (beta != T.One)
        {
            Elementwise<T, TVector, TLanes>.Scale(beta, c, c);
        }

        return true;
    }

    /// <summary>Few columns: c' = b' a has few rows and whole registers of columns.</summary>
    private static void MultiplyTransposed(View<T> a, View<T> b, bool accumulate, View<T> c)
    {
        T* result = Scratch<T>.Rent(ScratchSlot.Result, (nint)c.Rows * c.Columns);
        Multiply(b, true, a, false, T.Zero, new(result, c.Columns, c.Rows, c.Rows));
        for (int i = 0; i < c.Rows; i++)
        {
            T* row = c.Row(i);
            for (int j = 0; j < c.Columns; j++)
            {
                T value = result[((nint)j * c.Rows) + i];
                row[j] = accumulate ? row[j] + value : value;
            }
        }
    }

    /// <summary>Packs op(b) block by block on the way.</summary>
    private static void RunPacking(int k, T* a, nint aRow, nint aInner, View<T> b, bool transposeB, bool accumulate, View<T> c)
    {
        int panels = (c.Columns + PanelColumns - 1) / PanelColumns;
        int block = Math.Min(k, InnerBlock);
        T* packed = Scratch<T>.Rent(ScratchSlot.Right, (nint)panels * block * PanelColumns);
        for (int start = 0; start < k; start += block)
        {
            int count = Math.Min(block, k - start);
            T* from = b.Data + (start * (transposeB ? 1 : b.Stride));
            Packing<T>.Pack(from, b.Stride, transposeB, count, c.Columns, packed, block, PanelColumns, 0);
            Run(
                c.Rows, c.Columns, count, a + (start * aInner), aRow, aInner, packed, (nint)block * PanelColumns, PanelColumns,
                accumulate || start > 0, c);
        }
    }

    /// <summary>
    /// The blocked loops. Element (i, p) of a is at <c>a[i aRow + p aInner]</c>; element (p, j) of b at
    /// <c>b[(j / columns) bPanel + p bRow + j % columns]</c>, readable up to the end of the last panel.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(
        int m, int n, int k, T* a, nint aRow, nint aInner, T* b, nint bPanel, nint bRow, bool accumulate, View<T> c)
    {
        // Parts of equal length: 400 as 200 + 200 and not 384 + 16.
        int parts = (k + InnerBlock - 1) / InnerBlock;
        for (int part = 0; part < parts; part++)
        {
            int innerStart = (int)((long)k * part / parts), inner = (int)((long)k * (part + 1) / parts) - innerStart;
            int maxRows = MicroKernels<T, TVector, TLanes>.MaxRows;
            int rowBlock = Math.Max(1, LeftBlockBytes / (inner * sizeof(T) * maxRows)) * maxRows;
            for (int rowStart = 0; rowStart < m; rowStart += rowBlock)
            {
                int rows = Math.Min(rowBlock, m - rowStart);
                Left left = TakeLeft(rows, inner, a + (rowStart * aRow) + (innerStart * aInner), aRow, aInner);
                for (int column = 0, panel = 0; column < n; column += PanelColumns, panel++)
                {
                    Panel(
                        left, rows, b + (panel * bPanel) + (innerStart * bRow), bRow, c.Data + (rowStart * c.Stride) + column, c.Stride,
                        Math.Min(PanelColumns, n - column), accumulate || innerStart > 0);
                }
            }
        }
    }

    /// <summary>The block as it lies, or a copy of it where that is read faster.</summary>
    private static Left TakeLeft(int rows, int inner, T* a, nint aRow, nint aInner)
    {
        int height = MicroKernels<T, TVector, TLanes>.MaxRows;
        if (aInner == 1)
        {
            return new(a, height * aRow, aRow, 1, inner);
        }

        // Transposed: tile by tile in the order of reading. As it lies it would be read along columns, a cache line for six numbers.
        if (rows <= 2 * height)
        {
            return new(a, height, 1, aInner, inner);
        }

        T* tiles = Scratch<T>.Rent(ScratchSlot.Left, (nint)(rows + height) * inner);
        Packing<T>.Pack(a, aInner, false, inner, rows, tiles, inner, height, 0);
        return new(tiles, (nint)height * inner, 1, height, inner);
    }

    /// <summary>One panel of b against a block of a.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel(in Left a, int rows, T* b, nint bRow, T* c, nint cRow, int columns, bool accumulate)
    {
        if (columns == PanelColumns)
        {
            Tiles(a, 0, rows, b, bRow, c, cRow, accumulate);
            return;
        }

        // The kernels write whole registers: here to a tile aside, of which the columns that exist are taken over.
        int height = MicroKernels<T, TVector, TLanes>.MaxRows;
        T* tile = stackalloc T[height * PanelColumns];
        for (nint row = 0; row < rows; row += height)
        {
            nint count = Math.Min(height, rows - row);
            Tiles(a, row, count, b, bRow, tile, PanelColumns, false);
            for (nint i = 0; i < count; i++)
            {
                Elementwise<T, TVector, TLanes>.Take(tile + (i * PanelColumns), c + ((row + i) * cRow), columns, accumulate);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tiles(in Left a, nint row, nint rows, T* b, nint bRow, T* c, nint cRow, bool accumulate)
    {
        int height = MicroKernels<T, TVector, TLanes>.MaxRows;
        nint tiles = rows / height;
        T* left = a.Data + (row / height * a.Tile);
        if (height == 12)
        {
            MicroKernels<T, TVector, TLanes>.Rows12(tiles, a.Inner, left, a.Tile, a.Row, a.InnerStride, b, bRow, c, cRow, accumulate);
        }
        else
        {
            MicroKernels<T, TVector, TLanes>.Rows6(tiles, a.Inner, left, a.Tile, a.Row, a.InnerStride, b, bRow, c, cRow, accumulate);
        }

        left += tiles * a.Tile;
        c += tiles * height * cRow;
        rows -= tiles * height;
        if (rows >= 6)
        {
            MicroKernels<T, TVector, TLanes>.Rows6(1, a.Inner, left, 0, a.Row, a.InnerStride, b, bRow, c, cRow, accumulate);
            left += 6 * a.Row;
            c += 6 * cRow;
            rows -= 6;
        }

        if (rows >= 4)
        {
            MicroKernels<T, TVector, TLanes>.Rows4(1, a.Inner, left, 0, a.Row, a.InnerStride, b, bRow, c, cRow, accumulate);
            left += 4 * a.Row;
            c += 4 * cRow;
            rows -= 4;
        }

        if (rows >= 2)
        {
            MicroKernels<T, TVector, TLanes>.Rows2(1, a.Inner, left, 0, a.Row, a.InnerStride, b, bRow, c, cRow, accumulate);
            left += 2 * a.Row;
            c += 2 * cRow;
            rows -= 2;
        }

        if (rows > 0)
        {
            MicroKernels<T, TVector, TLanes>.Rows1(1, a.Inner, left, 0, a.Row, a.InnerStride, b, bRow, c, cRow, accumulate);
        }
    }

    /// <summary>A block of the left factor: element (i, p) of tile t is at <c>Data[t Tile + i Row + p InnerStride]</c>.</summary>
    private readonly struct Left(T* data, nint tile, nint row, nint innerStride, nint inner)
    {
        public readonly T* Data = data;
        public readonly nint Tile = tile;
        public readonly nint Row = row;
        public readonly nint InnerStride = innerStride;
        public readonly nint Inner = inner;
    }
}
