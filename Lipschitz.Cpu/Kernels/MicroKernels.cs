using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>
/// The inner loops of the product: a tile of c, r rows by two registers, stays in registers while one row of b after another
/// is multiplied by r broadcast numbers of a.
/// </summary>
/// <remarks>
/// <para>
/// Each element of c is one chain of multiply-adds over k, in every kernel alike, so that a result depends neither on the tile a row
/// falls into nor on the number of rows. Six rows take 12 accumulators, 2 registers of b and 1 of a of the 16 that AVX2 has, and
/// 8 loads for 12 multiply-adds, within what two load ports deliver; AVX-512 has 32 registers and takes twelve rows.
/// </para>
/// <para>
/// C# has no way to unroll over rows, so each height is written out. Each kernel walks down <c>tiles</c> tiles.
/// The strides: element (i, p) of tile t of a is at <c>a[t * aTile + i * aRow + p * aInner]</c>, so that it may be a matrix as it lies
/// or a copy in the order of reading; row p of b is at <c>b[p * bRow]</c>, and two registers are read there.
/// </para>
/// </remarks>
internal static unsafe partial class MicroKernels<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>Columns of a tile.</summary>
    public static int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * TLanes.Count;
    }

    /// <summary>Rows of the highest tile.</summary>
    public static int MaxRows
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Count * sizeof(T) == 64 ? 12 : 6;
    }

    /// <summary>c [tiles 6, 2 registers] &lt;- (or, to accumulate, +=) a [tiles 6, k] b [k, 2 registers].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows6(
        nint tiles, nint k, T* a, nint aTile, nint aRow, nint aInner, T* b, nint bRow, T* c, nint cRow, bool accumulate)
    {
        nint r1 = aRow * sizeof(T);
        nint r2 = 2 * r1;
        nint aStep = aInner * sizeof(T);
        nint bStep = bRow * sizeof(T);
        for (; tiles > 0; tiles--)
        {
            byte* a0 = (byte*)a;
            byte* a3 = a0 + r1 + r2;
            byte* bp = (byte*)b;
            TVector c00 = default, c01 = default;
            TVector c10 = default, c11 = default;
            TVector c20 = default, c21 = default;
            TVector c30 = default, c31 = default;
            TVector c40 = default, c41 = default;
            TVector c50 = default, c51 = default;
            for (nint p = k; p > 0; p--)
            {
                TVector b0 = TLanes.Load((T*)bp);
                TVector b1 = TLanes.Load((T*)bp + TLanes.Count);
                TVector x = TLanes.Broadcast(*(T*)a0);
                c00 = TLanes.MultiplyAdd(x, b0, c00);
                c01 = TLanes.MultiplyAdd(x, b1, c01);
                x = TLanes.Broadcast(*(T*)(a0 + r1));
                c10 = TLanes.MultiplyAdd(x, b0, c10);
                c11 = TLanes.MultiplyAdd(x, b1, c11);
                x = TLanes.Broadcast(*(T*)(a0 + r2));
                c20 = TLanes.MultiplyAdd(x, b0, c20);
                c21 = TLanes.MultiplyAdd(x, b1, c21);
                x = TLanes.Broadcast(*(T*)a3);
                c30 = TLanes.MultiplyAdd(x, b0, c30);
                c31 = TLanes.MultiplyAdd(x, b1, c31);
                x = TLanes.Broadcast(*(T*)(a3 + r1));
                c40 = TLanes.MultiplyAdd(x, b0, c40);
                c41 = TLanes.MultiplyAdd(x, b1, c41);
                x = TLanes.Broadcast(*(T*)(a3 + r2));
                c50 = TLanes.MultiplyAdd(x, b0, c50);
                c51 = TLanes.MultiplyAdd(x, b1, c51);
                a0 += aStep;
                a3 += aStep;
                bp += bStep;
            }

            T* cp = c;
            if (accumulate)
            {
                c00 = TLanes.Add(TLanes.Load(cp), c00);
                c01 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c01);
                cp += cRow;
                c10 = TLanes.Add(TLanes.Load(cp), c10);
                c11 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c11);
                cp += cRow;
                c20 = TLanes.Add(TLanes.Load(cp), c20);
                c21 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c21);
                cp += cRow;
                c30 = TLanes.Add(TLanes.Load(cp), c30);
                c31 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c31);
                cp += cRow;
                c40 = TLanes.Add(TLanes.Load(cp), c40);
                c41 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c41);
                cp += cRow;
                c50 = TLanes.Add(TLanes.Load(cp), c50);
                c51 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c51);
                cp = c;
            }

            TLanes.Store(c00, cp);
            TLanes.Store(c01, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c10, cp);
            TLanes.Store(c11, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c20, cp);
            TLanes.Store(c21, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c30, cp);
            TLanes.Store(c31, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c40, cp);
            TLanes.Store(c41, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c50, cp);
            TLanes.Store(c51, cp + TLanes.Count);
            a += aTile;
            c += 6 * cRow;
        }
    }

    /// <summary>c [tiles 4, 2 registers] &lt;- (or, to accumulate, +=) a [tiles 4, k] b [k, 2 registers].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows4(
        nint tiles, nint k, T* a, nint aTile, nint aRow, nint aInner, T* b, nint bRow, T* c, nint cRow, bool accumulate)
    {
        nint r1 = aRow * sizeof(T);
        nint r2 = 2 * r1;
        nint aStep = aInner * sizeof(T);
        nint bStep = bRow * sizeof(T);
        for (; tiles > 0; tiles--)
        {
            byte* a0 = (byte*)a;
            byte* a3 = a0 + r1 + r2;
            byte* bp = (byte*)b;
            TVector c00 = default, c01 = default;
            TVector c10 = default, c11 = default;
            TVector c20 = default, c21 = default;
            TVector c30 = default, c31 = default;
            for (nint p = k; p > 0; p--)
            {
                TVector b0 = TLanes.Load((T*)bp);
                TVector b1 = TLanes.Load((T*)bp + TLanes.Count);
                TVector x = TLanes.Broadcast(*(T*)a0);
                c00 = TLanes.MultiplyAdd(x, b0, c00);
                c01 = TLanes.MultiplyAdd(x, b1, c01);
                x = TLanes.Broadcast(*(T*)(a0 + r1));
                c10 = TLanes.MultiplyAdd(x, b0, c10);
                c11 = TLanes.MultiplyAdd(x, b1, c11);
                x = TLanes.Broadcast(*(T*)(a0 + r2));
                c20 = TLanes.MultiplyAdd(x, b0, c20);
                c21 = TLanes.MultiplyAdd(x, b1, c21);
                x = TLanes.Broadcast(*(T*)a3);
                c30 = TLanes.MultiplyAdd(x, b0, c30);
                c31 = TLanes.MultiplyAdd(x, b1, c31);
                a0 += aStep;
                a3 += aStep;
                bp += bStep;
            }

            T* cp = c;
            if (accumulate)
            {
                c00 = TLanes.Add(TLanes.Load(cp), c00);
                c01 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c01);
                cp += cRow;
                c10 = TLanes.Add(TLanes.Load(cp), c10);
                c11 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c11);
                cp += cRow;
                c20 = TLanes.Add(TLanes.Load(cp), c20);
                c21 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c21);
                cp += cRow;
                c30 = TLanes.Add(TLanes.Load(cp), c30);
                c31 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c31);
                cp = c;
            }

            TLanes.Store(c00, cp);
            TLanes.Store(c01, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c10, cp);
            TLanes.Store(c11, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c20, cp);
            TLanes.Store(c21, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c30, cp);
            TLanes.Store(c31, cp + TLanes.Count);
            a += aTile;
            c += 4 * cRow;
        }
    }

    /// <summary>c [tiles 2, 2 registers] &lt;- (or, to accumulate, +=) a [tiles 2, k] b [k, 2 registers].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows2(
        nint tiles, nint k, T* a, nint aTile, nint aRow, nint aInner, T* b, nint bRow, T* c, nint cRow, bool accumulate)
    {
        nint r1 = aRow * sizeof(T);
        nint aStep = aInner * sizeof(T);
        nint bStep = bRow * sizeof(T);
        for (; tiles > 0; tiles--)
        {
            byte* a0 = (byte*)a;
            byte* bp = (byte*)b;
            TVector c00 = default, c01 = default;
            TVector c10 = default, c11 = default;
            for (nint p = k; p > 0; p--)
            {
                TVector b0 = TLanes.Load((T*)bp);
                TVector b1 = TLanes.Load((T*)bp + TLanes.Count);
                TVector x = TLanes.Broadcast(*(T*)a0);
                c00 = TLanes.MultiplyAdd(x, b0, c00);
                c01 = TLanes.MultiplyAdd(x, b1, c01);
                x = TLanes.Broadcast(*(T*)(a0 + r1));
                c10 = TLanes.MultiplyAdd(x, b0, c10);
                c11 = TLanes.MultiplyAdd(x, b1, c11);
                a0 += aStep;
                bp += bStep;
            }

            T* cp = c;
            if (accumulate)
            {
                c00 = TLanes.Add(TLanes.Load(cp), c00);
                c01 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c01);
                cp += cRow;
                c10 = TLanes.Add(TLanes.Load(cp), c10);
                c11 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c11);
                cp = c;
            }

            TLanes.Store(c00, cp);
            TLanes.Store(c01, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c10, cp);
            TLanes.Store(c11, cp + TLanes.Count);
            a += aTile;
            c += 2 * cRow;
        }
    }

    /// <summary>c [tiles 1, 2 registers] &lt;- (or, to accumulate, +=) a [tiles 1, k] b [k, 2 registers].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows1(
        nint tiles, nint k, T* a, nint aTile, nint aRow, nint aInner, T* b, nint bRow, T* c, nint cRow, bool accumulate)
    {
        nint aStep = aInner * sizeof(T);
        nint bStep = bRow * sizeof(T);
        for (; tiles > 0; tiles--)
        {
            byte* a0 = (byte*)a;
            byte* bp = (byte*)b;
            TVector c00 = default, c01 = default;
            for (nint p = k; p > 0; p--)
            {
                TVector b0 = TLanes.Load((T*)bp);
                TVector b1 = TLanes.Load((T*)bp + TLanes.Count);
                TVector x = TLanes.Broadcast(*(T*)a0);
                c00 = TLanes.MultiplyAdd(x, b0, c00);
                c01 = TLanes.MultiplyAdd(x, b1, c01);
                a0 += aStep;
                bp += bStep;
            }

            T* cp = c;
            if (accumulate)
            {
                c00 = TLanes.Add(TLanes.Load(cp), c00);
                c01 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c01);
                cp = c;
            }

            TLanes.Store(c00, cp);
            TLanes.Store(c01, cp + TLanes.Count);
            a += aTile;
            c += cRow;
        }
    }
}
