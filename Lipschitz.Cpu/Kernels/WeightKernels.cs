using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lipschitz.Cpu.Kernels;

/// <summary>Spectral norms by power iteration, and weights scaled by them.</summary>
internal static unsafe class WeightKernels<T, TVector, TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    /// <summary>Repeats u &lt;- W v/|W v|, v &lt;- W'u/|W'u|; sigma &lt;- u'W v.</summary>
    /// <remarks>
    /// W'u is proportional to W'(W v), so that one pass over w makes a whole iteration: each row is used for its number of W v and,
    /// still in the first-level cache, for its part of the sum. Then u'W v = |W'u|.
    /// </remarks>
    public static void PowerIterate(View<T> w, int iterations, double tolerance, View<T> u, View<T> v, View<T> sigma)
    {
        int m = w.Rows, n = w.Columns;
        T* forward = Scratch<T>.Rent(ScratchSlot.Left, m);
        T* back = Scratch<T>.Rent(ScratchSlot.Right, n);
        double last = double.NaN; // the first comparison is false
        for (int turn = 0; turn < iterations; turn++)
        {
            new Span<T>(back, n).Clear();
            for (int i = 0; i < m; i++)
            {
                T* row = w.Row(i);
                forward[i] = Reductions<T, TVector, TLanes>.Dot(n, row, v.Data);
                Reductions<T, TVector, TLanes>.AddMultiple(n, forward[i], row, back);
            }

            double length = Math.Sqrt(Reductions<T, TVector, TLanes>.SumOfSquares(new(forward, 1, m, m)));
            double product = Math.Sqrt(Reductions<T, TVector, TLanes>.SumOfSquares(new(back, 1, n, n)));
            if (length == 0 || product == 0)
            {
                break;
            }

            Elementwise<T, TVector, TLanes>.Scale(T.CreateTruncating(1 / length), new(forward, 1, m, m), u);
            Elementwise<T, TVector, TLanes>.Scale(T.CreateTruncating(1 / product), new(back, 1, n, n), v);
            double value = product / length;
            bool done = tolerance > 0 && Math.Abs(value - last) <= tolerance * value;
            last = value;
            if (done)
            {
                break;
            }
        }

        if (double.IsNaN(last))
        {
            last = 0;
            for (int i = 0; i < m; i++)
            {
                T dot = Reductions<T, TVector, TLanes>.Dot(n, w.Row(i), v.Data);
                last += double.CreateTruncating(u.Data[i]) * double.CreateTruncating(dot);
            }
        }

        sigma.Data[0] = T.CreateTruncating(last);
    }

    /// <summary>effective &lt;- w factor columnScale, factor = min(1, coefficient/sigma).</summary>
    public static void Normalise(View<T> w, double factor, View<T> columnScale, View<T> effective) =>
        Elementwise<T, TVector, TLanes>.MapWithRow(
            new Elementwise<T, TVector, TLanes>.ScaledProduct(TLanes.Broadcast(T.CreateTruncating(factor))), columnScale, w, effective);

    /// <summary>The adjoint of <see cref="Normalise"/>, with respect to sigma too, whose derivative is u v'.</summary>
    public static void NormaliseBackward(
        View<T> w, View<T> u, View<T> v, double sigma, double coefficient, View<T> columnScale, View<T> gradient, View<T> columnGradient)
    {
        double factor = Math.Min(1, coefficient / sigma);
        double product = ColumnGradients(w, factor, columnScale, gradient, columnGradient);
        bool active = sigma > coefficient;
        for (int i = 0; i < w.Rows; i++)
        {
            double outer = active ? -factor * product / sigma * double.CreateTruncating(u.Data[i]) : 0;
            Combine(
                w.Columns, T.CreateTruncating(active ? factor : 1), columnScale.Data, T.CreateTruncating(outer),
                active ? v.Data : columnScale.Data, gradient.Row(i));
        }
    }

    /// <summary>As above with the derivative of sigma given.</summary>
    public static void NormaliseBackward(
        View<T> w, View<T> sigmaGradient, double sigma, double coefficient, View<T> columnScale, View<T> gradient, View<T> columnGradient)
    {
        double factor = Math.Min(1, coefficient / sigma);
        double product = ColumnGradients(w, factor, columnScale, gradient, columnGradient);
        bool active = sigma > coefficient;
        T outer = T.CreateTruncating(active ? -factor * product / sigma : 0);
        for (int i = 0; i < w.Rows; i++)
        {
            Combine(
                w.Columns, T.CreateTruncating(active ? factor : 1), columnScale.Data, outer,
                active ? sigmaGradient.Row(i) : columnScale.Data, gradient.Row(i));
        }
    }

    /// <summary>columnGradient &lt;- factor sum_i G_ij w_ij; returns the sum of G columnScale w.</summary>
    private static double ColumnGradients(View<T> w, double factor, View<T> columnScale, View<T> gradient, View<T> columnGradient)
    {
        int n = w.Columns;
        new Span<T>(columnGradient.Data, n).Clear();
        for (int i = 0; i < w.Rows; i++)
        {
            Reductions<T, TVector, TLanes>.AddProducts(n, gradient.Row(i), w.Row(i), columnGradient.Data);
        }

        double product = 0;
        for (int j = 0; j < n; j++)
        {
            double sum = double.CreateTruncating(columnGradient.Data[j]);
            product += double.CreateTruncating(columnScale.Data[j]) * sum;
            columnGradient.Data[j] = T.CreateTruncating(factor * sum);
        }

        return product;
    }

    /// <summary>g_j &lt;- factor scale_j g_j + outer v_j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Combine(nint n, T factor, T* scale, T outer, T* v, T* g)
    {
        TVector factors = TLanes.Broadcast(factor), outers = TLanes.Broadcast(outer);
        nint j = 0;
        for (; j + TLanes.Count <= n; j += TLanes.Count)
        {
            TVector scaled = TLanes.Multiply(TLanes.Multiply(factors, TLanes.Load(scale + j)), TLanes.Load(g + j));
            TLanes.Store(TLanes.MultiplyAdd(outers, TLanes.Load(v + j), scaled), g + j);
        }

        for (; j < n; j++)
        {
            g[j] = (factor * scale[j] * g[j]) + (outer * v[j]);
        }
    }
}
