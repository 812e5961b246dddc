using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>A formula on one register.</summary>
internal interface IMap<TVector>
{
    TVector Apply(TVector x);
}

/// <summary>A formula on two registers.</summary>
internal interface IMap2<TVector>
{
    TVector Apply(TVector x, TVector y);
}

/// <summary>The loops over elements, written once; what is done with each register is a struct that the JIT inlines.</summary>
internal static unsafe class Elementwise<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>x &lt;- value.</summary>
    public static void Fill(View<T> x, T value)
    {
        if (x.IsContiguous)
        {
            new Span<T>(x.Data, x.Rows * x.Columns).Fill(value);
            return;
        }

        for (int i = 0; i < x.Rows; i++)
        {
            new Span<T>(x.Row(i), x.Columns).Fill(value);
        }
    }

    /// <summary>y &lt;- x.</summary>
    public static void Copy(View<T> x, View<T> y)
    {
        if (x.IsContiguous && y.IsContiguous)
        {
            (x, y) = (x.Flat(), y.Flat());
        }

        for (int i = 0; i < x.Rows; i++)
        {
            new ReadOnlySpan<T>(x.Row(i), x.Columns).CopyTo(new Span<T>(y.Row(i), x.Columns));
        }
    }

    /// <summary>y &lt;- alpha x; y may be x.</summary>
    public static void Scale(T alpha, View<T> x, View<T> y) => Map(new Multiple(TLanes.Broadcast(alpha)), x, y);

    /// <summary>y_i &lt;- factors_i x_i, row i with factor i mod B; y may be x.</summary>
    public static void ScaleRows(View<T> factors, View<T> x, View<T> y)
    {
        for (int i = 0; i < x.Rows; i++)
        {
            T factor = *factors.Row(i % factors.Rows);
            T* from = x.Row(i), to = y.Row(i);
            if (x.Columns >= TLanes.Count)
            {
                MapRow(new Multiple(TLanes.Broadcast(factor)), x.Columns, from, to);
                continue;
            }

            for (int j = 0; j < x.Columns; j++)
            {
                to[j] = factor * from[j];
            }
        }
    }

    /// <summary>y &lt;- op(x), same shapes; y may be x.</summary>
    public static void Map<TOp>(TOp op, View<T> x, View<T> y)
        where TOp : struct, IMap<TVector>
    {
        if (x.IsContiguous && y.IsContiguous)
        {
            (x, y) = (x.Flat(), y.Flat());
        }

        for (int i = 0; i < x.Rows; i++)
        {
            MapRow(op, x.Columns, x.Row(i), y.Row(i));
        }
    }

    /// <summary>z &lt;- op(x, y), same shapes; z may be x or y.</summary>
    public static void Map<TOp>(TOp op, View<T> x, View<T> y, View<T> z)
        where TOp : struct, IMap2<TVector>
    {
        if (x.IsContiguous && y.IsContiguous && z.IsContiguous)
        {
            (x, y, z) = (x.Flat(), y.Flat(), z.Flat());
        }

        for (int i = 0; i < x.Rows; i++)
        {
            MapRow(op, x.Columns, x.Row(i), y.Row(i), z.Row(i));
        }
    }

    /// <summary>Each row of z &lt;- op(row, row of y); row [1, n], z may be y.</summary>
    public static void MapWithRow<TOp>(TOp op, View<T> row, View<T> y, View<T> z)
        where TOp : struct, IMap2<TVector>
    {
        int n = y.Columns;
        int group = 2 * TLanes.Count;
        int start = 0;
        if (n < TLanes.Count && y.Rows >= group && y.IsContiguous && z.IsContiguous)
        {
            // Rows shorter than a register: groups of them are whole registers, against as many copies of the row.
            T* copies = stackalloc T[TLanes.Count * group];
            for (int i = 0; i < group; i++)
            {
                new ReadOnlySpan<T>(row.Data, n).CopyTo(new Span<T>(copies + (i * n), n));
            }

            for (; start + group <= y.Rows; start += group)
            {
                MapRow(op, group * n, copies, y.Row(start), z.Row(start));
            }
        }

        for (int i = start; i < y.Rows; i++)
        {
            MapRow(op, n, row.Data, y.Row(i), z.Row(i));
        }
    }

    /// <summary>y &lt;- op(x) for n numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MapRow<TOp>(TOp op, nint n, T* x, T* y)
        where TOp : struct, IMap<TVector>
    {
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            TLanes.Store(op.Apply(TLanes.Load(x + j)), y + j);
        }

        if (j < n)
        {
            TLanes.StorePartial(op.Apply(TLanes.LoadPartial(x + j, n - j)), y + j, n - j);
        }
    }

    /// <summary>z &lt;- op(x, y) for n numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MapRow<TOp>(TOp op, nint n, T* x, T* y, T* z)
        where TOp : struct, IMap2<TVector>
    {
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            TLanes.Store(op.Apply(TLanes.Load(x + j), TLanes.Load(y + j)), z + j);
        }

        if (j < n)
        {
            TLanes.StorePartial(op.Apply(TLanes.LoadPartial(x + j, n - j), TLanes.LoadPartial(y + j, n - j)), z + j, n - j);
        }
    }

    /// <summary>y &lt;- (or +=) x for fewer numbers than two registers.</summary>
    public static void Take(T* x, T* y, nint n, bool accumulate)
    {
        if (n >= TLanes.Count)
        {
            TVector v = TLanes.Load(x);
            TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(y), v) : v, y);
            x += TLanes.Count;
            y += TLanes.Count;
            n -= TLanes.Count;
        }

        if (n > 0)
        {
            TVector v = TLanes.Load(x);
            TLanes.StorePartial(accumulate ? TLanes.Add(TLanes.LoadPartial(y, n), v) : v, y, n);
        }
    }

    /// <summary>Loads <paramref name="count"/> numbers, a whole register or fewer; inlined with a constant count it is a plain load.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load(T* source, nint count) =>
        count == TLanes.Count ? TLanes.Load(source) : TLanes.LoadPartial(source, count);

    /// <summary>Stores <paramref name="count"/> numbers, a whole register or fewer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(TVector value, T* destination, nint count)
    {
        if (count == TLanes.Count)
        {
            TLanes.Store(value, destination);
        }
        else
        {
            TLanes.StorePartial(value, destination, count);
        }
    }

    /// <summary>alpha x.</summary>
    internal readonly struct Multiple(TVector alpha) : IMap<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Apply(TVector x) => TLanes.Multiply(alpha, x);
    }

    /// <summary>x + y.</summary>
    internal readonly struct Sum : IMap2<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Apply(TVector x, TVector y) => TLanes.Add(x, y);
    }

    /// <summary>x y.</summary>
    internal readonly struct Product : IMap2<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Apply(TVector x, TVector y) => TLanes.Multiply(x, y);
    }

    /// <summary>alpha x + beta y.</summary>
    internal readonly struct Combination(TVector alpha, TVector beta) : IMap2<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Apply(TVector x, TVector y) => TLanes.MultiplyAdd(alpha, x, TLanes.Multiply(beta, y));
    }

    /// <summary>alpha x y.</summary>
    internal readonly struct ScaledProduct(TVector alpha) : IMap2<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Apply(TVector x, TVector y) => TLanes.Multiply(TLanes.Multiply(alpha, x), y);
    }
}
