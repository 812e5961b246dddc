using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>MaxMin: the greater numbers of all pairs, then the lesser ones (Anil et al. 2019). It permutes, so no number is rounded.</summary>
internal static unsafe class MaxMinKernels<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>Value rows: y_i &lt;- the greater, y_(n/2+i) &lt;- the lesser of the pair; tangent rows in the same order.</summary>
    public static void Activate(View<T> pre, int valueRows, View<T> y)
    {
        for (int i = 0; i < pre.Rows; i++)
        {
            Apart(new OfValues(pre.Row(i % valueRows)), pre.Columns / 2, pre.Row(i), y.Row(i));
        }
    }

    /// <summary>1 where the first of a pair is the greater or they are equal, else 0.</summary>
    public static void Slopes(View<T> pre, View<T> slopes)
    {
        for (int i = 0; i < pre.Rows; i++)
        {
            SlopesRow(new OfValues(pre.Row(i)), slopes.Columns, slopes.Row(i));
        }
    }

    /// <summary>The adjoint of <see cref="Activate"/>: its second derivative is 0, so that value and tangent rows are alike.</summary>
    public static void Backward(View<T> pre, int valueRows, View<T> gradient, View<T> preGradient)
    {
        for (int i = 0; i < pre.Rows; i++)
        {
            Together(new OfValues(pre.Row(i % valueRows)), pre.Columns / 2, gradient.Row(i), preGradient.Row(i));
        }
    }

    /// <summary>result pairs &lt;- w in the order that slopes tell.</summary>
    public static void Vjp(View<T> slopes, View<T> w, View<T> result)
    {
        for (int i = 0; i < w.Rows; i++)
        {
            Together(new OfSlopes(slopes.Row(i % slopes.Rows)), slopes.Columns, w.Row(i), result.Row(i));
        }
    }

    /// <summary>result &lt;- the pairs of t in the order that slopes tell.</summary>
    public static void Jvp(View<T> slopes, View<T> t, View<T> result)
    {
        for (int i = 0; i < t.Rows; i++)
        {
            Apart(new OfSlopes(slopes.Row(i % slopes.Rows)), slopes.Columns, t.Row(i), result.Row(i));
        }
    }

    // Pairs to halves.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apart<TOrder>(TOrder order, int half, T* from, T* to)
        where TOrder : struct, IOrder
    {
        int j = 0;
        for (; j + TLanes.Count <= half; j += TLanes.Count)
        {
            TVector kept = order.Kept(j);
            TLanes.Deinterleave(TLanes.Load(from + (2 * j)), TLanes.Load(from + (2 * j) + TLanes.Count), out TVector first, out TVector second);
            TLanes.Store(TLanes.Select(kept, first, second), to + j);
            TLanes.Store(TLanes.Select(kept, second, first), to + half + j);
        }

        for (; j < half; j++)
        {
            int greater = order.IsKept(j) ? 0 : 1; // an index, not a branch: no data are less predictable
            to[j] = from[(2 * j) + greater];
            to[half + j] = from[(2 * j) + 1 - greater];
        }
    }

    // Halves to pairs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Together<TOrder>(TOrder order, int half, T* from, T* to)
        where TOrder : struct, IOrder
    {
        int j = 0;
        for (; j + TLanes.Count <= half; j += TLanes.Count)
        {
            TVector kept = order.Kept(j), most = TLanes.Load(from + j), least = TLanes.Load(from + half + j);
            TLanes.Interleave(TLanes.Select(kept, most, least), TLanes.Select(kept, least, most), out TVector low, out TVector high);
            TLanes.Store(low, to + (2 * j));
            TLanes.Store(high, to + (2 * j) + TLanes.Count);
        }

        for (; j < half; j++)
        {
            int greater = order.IsKept(j) ? 0 : 1;
            T most = from[j], least = from[half + j];
            to[(2 * j) + greater] = most;
            to[(2 * j) + 1 - greater] = least;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SlopesRow(OfValues order, int half, T* slopes)
    {
        int j = 0;
        for (; j + TLanes.Count <= half; j += TLanes.Count)
        {
            TLanes.Store(TLanes.Select(order.Kept(j), TLanes.Broadcast(T.One), default), slopes + j);
        }

        for (; j < half; j++)
        {
            slopes[j] = order.IsKept(j) ? T.One : T.Zero;
        }
    }

    /// <summary>Which pairs keep their order.</summary>
    private interface IOrder
    {
        /// <summary>A mask of the pairs from j on, a register of them.</summary>
        TVector Kept(int j);

        bool IsKept(int j);
    }

    private readonly struct OfValues(T* values) : IOrder
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Kept(int j)
        {
            TLanes.Deinterleave(TLanes.Load(values + (2 * j)), TLanes.Load(values + (2 * j) + TLanes.Count), out TVector first, out TVector second);
            return TLanes.LessOrEqual(second, first);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool IsKept(int j) => values[2 * j] >= values[(2 * j) + 1];
    }

    private readonly struct OfSlopes(T* slopes) : IOrder
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Kept(int j) => TLanes.Less(default, TLanes.Load(slopes + j));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool IsKept(int j) => slopes[j] > T.Zero;
    }
}
