namespace Lipschitz.Properties;

/// <summary>Random vectors, p-norms, and the vectors that attain them.</summary>
internal static class Vectors
{
    /// <summary>A vector of normal numbers, now and then with zeros, ties or one component that outweighs the others.</summary>
    public static double[] Draw(Random random, int count)
    {
        int kind = random.Next(8);
        double[] x = [.. Enumerable.Range(0, count).Select(_ => Normal(random))];
        for (int i = 0; i < count; i++)
        {
            x[i] = kind switch
            {
                0 when random.Next(2) == 0 => 0,
                1 => Math.Sign(x[i]),
                2 when i == 0 => 1000 * x[i],
                _ => x[i],
            };
        }

        return x;
    }

    public static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static double Norm(ReadOnlySpan<double> x, double p)
    {
        double largest = 0, sum = 0;
        foreach (double value in x)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        if (largest == 0 || double.IsPositiveInfinity(p))
        {
            return largest;
        }

        foreach (double value in x)
        {
            sum += Math.Pow(Math.Abs(value) / largest, p);
        }

        return largest * Math.Pow(sum, 1 / p);
    }

    public static double Conjugate(double p) => p == 1 ? double.PositiveInfinity : double.IsPositiveInfinity(p) ? 1 : p / (p - 1);

    /// <summary>The d with d . x = |x|_p whose conjugate norm is 1.</summary>
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

    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }

    public static double[] Minus(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a - b)];

    public static double[] Plus(double[] x, double factor, double[] y) => [.. x.Zip(y, (a, b) => a + (factor * b))];

    /// <summary>W x for W row by row.</summary>
    public static double[] Multiply(double[] w, double[] x) =>
        [.. Enumerable.Range(0, w.Length / x.Length).Select(i => Dot(w.AsSpan(i * x.Length, x.Length), x))];

    /// <summary>W'y for W row by row.</summary>
    public static double[] MultiplyTransposed(double[] w, double[] y)
    {
        int columns = w.Length / y.Length;
        return [.. Enumerable.Range(0, columns).Select(j => Enumerable.Range(0, y.Length).Sum(i => w[(i * columns) + j] * y[i]))];
    }
}
