using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Products that a tile of whole registers would mostly waste: into two columns, and with an inner length of one or two.</summary>
internal static unsafe class NarrowProducts<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>c &lt;- (or +=) a b, b narrow: dot products of the rows of a with pairs of columns of b.</summary>
    public static void Multiply(View<T> a, PackedPanels<T> b, bool accumulate, View<T> c)
    {
        for (int j = 0; j < c.Columns; j += 2)
        {
            T* columns = b.Data + ((nint)j * b.ColumnStride);
            Pair(a.Rows, a.Columns, a.Data, a.Stride, columns, b.ColumnStride, c.Data + j, c.Stride, c.Columns - j > 1, accumulate);
        }
    }

    /// <summary>Four rows by two columns at a time: 8 accumulators hide the latency of the multiply-adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pair(
        int rows, nint k, T* a, nint aRow, T* b, nint bColumn, T* c, nint cRow, bool both, bool accumulate)
    {
        T* second = b + bColumn;
        int i = 0;
        for (; i + 4 <= rows; i += 4)
        {
            T* a0 = a, a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
            TVector c00 = default, c01 = default, c10 = default, c11 = default;
            TVector c20 = default, c21 = default, c30 = default, c31 = default;
            nint p = 0;
            for (; p + TLanes.Count <= k; p += TLanes.Count)
            {
                TVector b0 = TLanes.Load(b + p), b1 = TLanes.Load(second + p);
                TVector x = TLanes.Load(a0 + p);
                c00 = TLanes.MultiplyAdd(x, b0, c00);
                c01 = TLanes.MultiplyAdd(x, b1, c01);
                x = TLanes.Load(a1 + p);
                c10 = TLanes.MultiplyAdd(x, b0, c10);
                c11 = TLanes.MultiplyAdd(x, b1, c11);
                x = TLanes.Load(a2 + p);
                c20 = TLanes.MultiplyAdd(x, b0, c20);
                c21 = TLanes.MultiplyAdd(x, b1, c21);
                x = TLanes.Load(a3 + p);
                c30 = TLanes.MultiplyAdd(x, b0, c30);
                c31 = TLanes.MultiplyAdd(x, b1, c31);
            }

            if (p < k)
            {
                TVector b0 = TLanes.Load(b + p), b1 = TLanes.Load(second + p);
                TVector x = TLanes.LoadPartial(a0 + p, k - p);
                c00 = TLanes.MultiplyAdd(x, b0, c00);
                c01 = TLanes.MultiplyAdd(x, b1, c01);
                x = TLanes.LoadPartial(a1 + p, k - p);
                c10 = TLanes.MultiplyAdd(x, b0, c10);
                c11 = TLanes.MultiplyAdd(x, b1, c11);
                x = TLanes.LoadPartial(a2 + p, k - p);
                c20 = TLanes.MultiplyAdd(x, b0, c20);
                c21 = TLanes.MultiplyAdd(x, b1, c21);
                x = TLanes.LoadPartial(a3 + p, k - p);
                c30 = TLanes.MultiplyAdd(x, b0, c30);
                c31 = TLanes.MultiplyAdd(x, b1, c31);
            }

            Put(c, TLanes.Sum(c00), TLanes.Sum(c01), both, accumulate);
            Put(c + cRow, TLanes.Sum(c10), TLanes.Sum(c11), both, accumulate);
            Put(c + (2 * cRow), TLanes.Sum(c20), TLanes.Sum(c21), both, accumulate);
            Put(c + (3 * cRow), TLanes.Sum(c30), TLanes.Sum(c31), both, accumulate);
            a += 4 * aRow;
            c += 4 * cRow;
        }

        for (; i < rows; i++)
        {
            TVector c0 = default, c1 = default;
            nint p = 0;
            for (; p + TLanes.Count <= k; p += TLanes.Count)
            {
                TVector x = TLanes.Load(a + p);
                c0 = TLanes.MultiplyAdd(x, TLanes.Load(b + p), c0);
                c1 = TLanes.MultiplyAdd(x, TLanes.Load(second + p), c1);
            }

            if (p < k)
            {
                TVector x = TLanes.LoadPartial(a + p, k - p);
                c0 = TLanes.MultiplyAdd(x, TLanes.Load(b + p), c0);
                c1 = TLanes.MultiplyAdd(x, TLanes.Load(second + p), c1);
            }

            Put(c, TLanes.Sum(c0), TLanes.Sum(c1), both, accumulate);
            a += aRow;
            c += cRow;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* c, T first, T second, bool both, bool accumulate)
    {
        c[0] = accumulate ? c[0] + first : first;
        if (both)
        {
            c[1] = accumulate ? c[1] + second : second;
        }
    }

    /// <summary>
    /// c &lt;- (or +=) a b with one or two rows of b: they stay in registers while a runs down. Four whole rows of c at a time, which writes
    /// memory in order, were measured and are slower.
    /// </summary>
    public static void MultiplyOuter(View<T> a, PackedPanels<T> b, bool accumulate, View<T> c)
    {
        for (int j = 0; j < c.Columns; j += b.Width)
        {
            T* panel = b.Data + ((nint)j * b.Inner);
            Outer(
                a.Rows, a.Data, a.Stride, panel, a.Columns == 2 ? panel + b.Width : null, c.Data + j, c.Stride,
                Math.Min(b.Width, c.Columns - j), accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Outer(int rows, T* a, nint aRow, T* first, T* second, T* c, nint cRow, int columns, bool accumulate)
    {
        TVector b00 = TLanes.Load(first), b01 = TLanes.Load(first + TLanes.Count);
        TVector b10 = second is null ? default : TLanes.Load(second);
        TVector b11 = second is null ? default : TLanes.Load(second + TLanes.Count);
        nint offset = second is null ? 0 : 1;
        for (int i = 0; i < rows; i++)
        {
            TVector x = TLanes.Broadcast(a[0]);
            TVector y0 = TLanes.Multiply(x, b00), y1 = TLanes.Multiply(x, b01);
            if (offset != 0)
            {
                x = TLanes.Broadcast(a[1]);
                y0 = TLanes.MultiplyAdd(x, b10, y0);
                y1 = TLanes.MultiplyAdd(x, b11, y1);
            }

            if (columns == 2 * TLanes.Count)
            {
                if (accumulate)
                {
                    y0 = TLanes.Add(TLanes.Load(c), y0);
                    y1 = TLanes.Add(TLanes.Load(c + TLanes.Count), y1);
                }

                TLanes.Store(y0, c);
                TLanes.Store(y1, c + TLanes.Count);
            }
            else
            {
                StoreFringe(y0, y1, c, columns, accumulate);
            }

            a += aRow;
            c += cRow;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFringe(TVector y0, TVector y1, T* c, int columns, bool accumulate)
    {
        if (columns >= TLanes.Count)
        {
            TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(c), y0) : y0, c);
            c += TLanes.Count;
            columns -= TLanes.Count;
            y0 = y1;
        }

        if (columns > 0)
        {
            TLanes.StorePartial(accumulate ? TLanes.Add(TLanes.LoadPartial(c, columns), y0) : y0, c, columns);
        }
    }
}
