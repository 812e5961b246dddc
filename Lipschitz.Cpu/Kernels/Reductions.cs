using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Sums over rows, columns and everything, each in one fixed order.</summary>
internal static unsafe class Reductions<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>sum_j x_j y_j for n numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Dot(nint n, T* x, T* y)
    {
        TVector s0 = default, s1 = default, s2 = default, s3 = default;
        nint j = 0;
        for (; j + (4 * TLanes.Count) <= n; j += 4 * TLanes.Count)
        {
            s0 = TLanes.MultiplyAdd(TLanes.Load(x + j), TLanes.Load(y + j), s0);
            s1 = TLanes.MultiplyAdd(TLanes.Load(x + j + TLanes.Count), TLanes.Load(y + j + TLanes.Count), s1);
            s2 = TLanes.MultiplyAdd(TLanes.Load(x + j + (2 * TLanes.Count)), TLanes.Load(y + j + (2 * TLanes.Count)), s2);
            s3 = TLanes.MultiplyAdd(TLanes.Load(x + j + (3 * TLanes.Count)), TLanes.Load(y + j + (3 * TLanes.Count)), s3);
        }

        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            s0 = TLanes.MultiplyAdd(TLanes.Load(x + j), TLanes.Load(y + j), s0);
        }

        if (j < n)
        {
            s0 = TLanes.MultiplyAdd(TLanes.LoadPartial(x + j, n - j), TLanes.LoadPartial(y + j, n - j), s0);
        }

        return TLanes.Sum(TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3)));
    }

    /// <summary>y_j += alpha x_j for n numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddMultiple(nint n, T alpha, T* x, T* y)
    {
        TVector a = TLanes.Broadcast(alpha);
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            TLanes.Store(TLanes.MultiplyAdd(a, TLanes.Load(x + j), TLanes.Load(y + j)), y + j);
        }

        if (j < n)
        {
            TVector last = TLanes.MultiplyAdd(a, TLanes.LoadPartial(x + j, n - j), TLanes.LoadPartial(y + j, n - j));
            TLanes.StorePartial(last, y + j, n - j);
        }
    }

    /// <summary>sums_j += x_j y_j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddProducts(nint n, T* x, T* y, T* sums)
    {
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            TLanes.Store(TLanes.MultiplyAdd(TLanes.Load(x + j), TLanes.Load(y + j), TLanes.Load(sums + j)), sums + j);
        }

        for (; j < n; j++)
        {
            sums[j] += x[j] * y[j];
        }
    }

    /// <summary>dots_i &lt;- alpha sum_j x_ij y_ij + beta dots_i.</summary>
    public static void RowDots(T alpha, View<T> x, View<T> y, T beta, View<T> dots)
    {
        nint n = x.Columns;
        for (int i = 0; i < x.Rows; i++)
        {
            T dot;
            if (n < TLanes.Count)
            {
                T* p = x.Row(i), q = y.Row(i);
                dot = T.Zero;
                for (nint j = 0; j < n; j++)
                {
                    dot += p[j] * q[j];
                }
            }
            else
            {
                dot = Dot(n, x.Row(i), y.Row(i));
            }

            T* to = dots.Row(i);
            *to = (alpha * dot) + (beta == T.Zero ? T.Zero : beta * *to);
        }
    }

    /// <summary>sums &lt;- the sum of the rows of x + beta sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ColumnSums(View<T> x, T beta, View<T> sums)
    {
        nint n = x.Columns;
        nint j = 0;
        for (; j + (4 * TLanes.Count) <= n; j += 4 * TLanes.Count)
        {
            TVector s0 = default, s1 = default, s2 = default, s3 = default;
            T* p = x.Data + j;
            for (int i = 0; i < x.Rows; i++)
            {
                s0 = TLanes.Add(s0, TLanes.Load(p));
                s1 = TLanes.Add(s1, TLanes.Load(p + TLanes.Count));
                s2 = TLanes.Add(s2, TLanes.Load(p + (2 * TLanes.Count)));
                s3 = TLanes.Add(s3, TLanes.Load(p + (3 * TLanes.Count)));
                p += x.Stride;
            }

            PutSum(s0, sums.Data + j, beta, TLanes.Count);
            PutSum(s1, sums.Data + j + TLanes.Count, beta, TLanes.Count);
            PutSum(s2, sums.Data + j + (2 * TLanes.Count), beta, TLanes.Count);
            PutSum(s3, sums.Data + j + (3 * TLanes.Count), beta, TLanes.Count);
        }

        for (; j < n; j += TLanes.Count)
        {
            nint count = Math.Min(TLanes.Count, n - j);
            TVector s = default;
            T* p = x.Data + j;
            for (int i = 0; i < x.Rows; i++)
            {
                s = TLanes.Add(s, Elementwise<T, TVector, TLanes>.Load(p, count));
                p += x.Stride;
            }

            PutSum(s, sums.Data + j, beta, count);
        }
    }

    /// <summary>mean and variance of each column, in double: it is asked for once in a training, of a whole batch.</summary>
    public static void ColumnMoments(View<T> x, View<T> mean, View<T> variance)
    {
        for (int j = 0; j < x.Columns; j++)
        {
            double sum = 0;
            for (int i = 0; i < x.Rows; i++)
            {
                sum += double.CreateTruncating(x.Row(i)[j]);
            }

            double center = sum / x.Rows;
            double squares = 0;
            for (int i = 0; i < x.Rows; i++)
            {
                double difference = double.CreateTruncating(x.Row(i)[j]) - center;
                squares += difference * difference;
            }

            mean.Data[j] = T.CreateTruncating(center);
            variance.Data[j] = T.CreateTruncating(squares / x.Rows);
        }
    }

    /// <summary>sum x^2 in double, in eight sums whatever the width, so that every width gives the same bits.</summary>
    public static double SumOfSquares(View<T> x)
    {
        double sum = 0;
        if (x.IsContiguous)
        {
            x = x.Flat();
        }

        for (int i = 0; i < x.Rows; i++)
        {
            sum += SumOfSquares(x.Columns, x.Row(i));
        }

        return sum;
    }

    /// <summary>Whether every element is finite.</summary>
    public static bool AllFinite(View<T> x)
    {
        if (x.IsContiguous)
        {
            x = x.Flat();
        }

        for (int i = 0; i < x.Rows; i++)
        {
            if (!AllFinite(x.Columns, x.Row(i)))
            {
                return false;
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumOfSquares(nint n, T* x)
    {
        Vector256<double> s0 = default, s1 = default;
        nint j = 0;
        for (; j + 8 <= n; j += 8)
        {
            Vector256<double> lower, upper;
            if (typeof(T) == typeof(float))
            {
                (lower, upper) = Vector256.Widen(Vector256.Load((float*)x + j));
            }
            else
            {
                lower = Vector256.Load((double*)x + j);
                upper = Vector256.Load((double*)x + j + 4);
            }

            s0 += lower * lower;
            s1 += upper * upper;
        }

        Vector256<double> both = s0 + s1;
        double sum = both[0] + both[2] + (both[1] + both[3]);
        for (; j < n; j++)
        {
            double value = double.CreateTruncating(x[j]);
            sum += value * value;
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool AllFinite(nint n, T* x)
    {
        TVector infinity = TLanes.Broadcast(T.PositiveInfinity);
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            // False for NaN too.
            if (!TLanes.All(TLanes.Less(TLanes.Abs(TLanes.Load(x + j)), infinity)))
            {
                return false;
            }
        }

        return j == n || TLanes.All(TLanes.Less(TLanes.Abs(TLanes.LoadPartial(x + j, n - j)), infinity));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutSum(TVector sum, T* to, T beta, nint count)
    {
        if (beta != T.Zero)
        {
            sum = TLanes.MultiplyAdd(TLanes.Broadcast(beta), Elementwise<T, TVector, TLanes>.Load(to, count), sum);
        }

        Elementwise<T, TVector, TLanes>.Store(sum, to, count);
    }
}
