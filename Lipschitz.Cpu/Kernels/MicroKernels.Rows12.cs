using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <content>The twelve rows that only AVX-512 has registers for.</content>
internal static unsafe partial class MicroKernels<T, TVector, TLanes>
{
    /// <summary>c [tiles 12, 2 registers] &lt;- (or, to accumulate, +=) a [tiles 12, k] b [k, 2 registers].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows12(
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
            byte* a6 = a3 + r1 + r2;
            byte* a9 = a6 + r1 + r2;
            byte* bp = (byte*)b;
            TVector c00 = default, c01 = default;
            TVector c10 = default, c11 = default;
            TVector c20 = default, c21 = default;
            TVector c30 = default, c31 = default;
            TVector c40 = default, c41 = default;
            TVector c50 = default, c51 = default;
            TVector c60 = default, c61 = default;
            TVector c70 = default, c71 = default;
            TVector c80 = default, c81 = default;
            TVector c90 = default, c91 = default;
            TVector c100 = default, c101 = default;
            TVector c110 = default, c111 = default;
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
                x = TLanes.Broadcast(*(T*)a6);
                c60 = TLanes.MultiplyAdd(x, b0, c60);
                c61 = TLanes.MultiplyAdd(x, b1, c61);
                x = TLanes.Broadcast(*(T*)(a6 + r1));
                c70 = TLanes.MultiplyAdd(x, b0, c70);
                c71 = TLanes.MultiplyAdd(x, b1, c71);
                x = TLanes.Broadcast(*(T*)(a6 + r2));
                c80 = TLanes.MultiplyAdd(x, b0, c80);
                c81 = TLanes.MultiplyAdd(x, b1, c81);
                x = TLanes.Broadcast(*(T*)a9);
                c90 = TLanes.MultiplyAdd(x, b0, c90);
                c91 = TLanes.MultiplyAdd(x, b1, c91);
                x = TLanes.Broadcast(*(T*)(a9 + r1));
                c100 = TLanes.MultiplyAdd(x, b0, c100);
                c101 = TLanes.MultiplyAdd(x, b1, c101);
                x = TLanes.Broadcast(*(T*)(a9 + r2));
                c110 = TLanes.MultiplyAdd(x, b0, c110);
                c111 = TLanes.MultiplyAdd(x, b1, c111);
                a0 += aStep;
                a3 += aStep;
                a6 += aStep;
                a9 += aStep;
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
                cp += cRow;
                c60 = TLanes.Add(TLanes.Load(cp), c60);
                c61 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c61);
                cp += cRow;
                c70 = TLanes.Add(TLanes.Load(cp), c70);
                c71 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c71);
                cp += cRow;
                c80 = TLanes.Add(TLanes.Load(cp), c80);
                c81 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c81);
                cp += cRow;
                c90 = TLanes.Add(TLanes.Load(cp), c90);
                c91 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c91);
                cp += cRow;
                c100 = TLanes.Add(TLanes.Load(cp), c100);
                c101 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c101);
                cp += cRow;
                c110 = TLanes.Add(TLanes.Load(cp), c110);
                c111 = TLanes.Add(TLanes.Load(cp + TLanes.Count), c111);
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
            cp += cRow;
            TLanes.Store(c60, cp);
            TLanes.Store(c61, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c70, cp);
            TLanes.Store(c71, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c80, cp);
            TLanes.Store(c81, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c90, cp);
            TLanes.Store(c91, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c100, cp);
            TLanes.Store(c101, cp + TLanes.Count);
            cp += cRow;
            TLanes.Store(c110, cp);
            TLanes.Store(c111, cp + TLanes.Count);
            a += aTile;
            c += 12 * cRow;
        }
    }
}
