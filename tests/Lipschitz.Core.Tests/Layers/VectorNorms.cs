namespace Lipschitz.Core.Tests.Layers;

/// <summary>p-norms of vectors and the vectors that attain them.</summary>
internal static class VectorNorms
{
    public static double Norm(ReadOnlySpan<double> x, double p)
    {
        double largest = 0;
        foreach (double value in x)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        if (largest == 0 || double.IsPositiveInfinity(p))
        {
            return largest;
        }

        double sum = 0;
        foreach (double value in x)
        {
            sum += Math.Pow(Math.Abs(value) / largest, p);
        }

        return largest * Math.Pow(sum, 1 / p);
    }

    public static double Conjugate(double p) => p == 1 ? double.PositiveInfinity : double.IsPositiveInfinity(p) ? 1 : p / (p - 1);

    /// <summary>The d of q-norm 1, q conjugate to p, with d . x = |x|_p.</summary>
    public static double[] Dual(ReadOnlySpan<double> x, double p)
    {
        var dual = new double[x.Length];
        double norm = Norm(x, p);
        if (double.IsPositiveInfinity(p))
        {
            int at = 0;
            for (int i = 1; i < x.Length; i++)
            {
                at = Math.Abs(x[i]) > Math.Abs(x[at]) ? i : at;
            }

            dual[at] = Math.Sign(x[at]);
            return dual;
        }

        for (int i = 0; i < x.Length && norm > 0; i++)
        {
            dual[i] = Math.Sign(x[i]) * Math.Pow(Math.Abs(x[i]) / norm, p - 1);
        }

        return dual;
    }
}
