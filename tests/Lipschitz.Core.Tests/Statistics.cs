namespace Lipschitz.Core.Tests;

/// <summary>Checks on samples with a fixed seed: wide enough that a right sampler passes, narrow enough that a wrong one fails.</summary>
internal static class Statistics
{
    /// <summary>The mean is within 5 of its own standard errors of what it should be.</summary>
    public static void MeanIs(double expected, IEnumerable<double> sample, string what = "mean")
    {
        double[] values = [.. sample];
        double mean = values.Average();
        double variance = values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1);
        double error = Math.Sqrt(variance / values.Length);
        Assert.True(Math.Abs(mean - expected) <= 5 * error, $"{what}: {mean}, expected {expected} within 5 x {error}");
    }

    /// <summary>Every count is within 5 standard deviations of an equal share.</summary>
    public static void SharesAreEqual(int[] counts)
    {
        double total = counts.Sum();
        double share = 1.0 / counts.Length;
        double deviation = Math.Sqrt(total * share * (1 - share));
        Assert.All(counts, count => Assert.InRange(count, (total * share) - (5 * deviation), (total * share) + (5 * deviation)));
    }

    /// <summary>Kolmogorov and Smirnov's distance is below its quantile of 0.1% error, 1.95 / sqrt n.</summary>
    public static void FollowsDistribution(Func<double, double> cumulative, double[] sample)
    {
        double[] sorted = [.. sample.Order()];
        double distance = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            double p = cumulative(sorted[i]);
            distance = Math.Max(distance, Math.Max(p - ((double)i / sorted.Length), ((i + 1.0) / sorted.Length) - p));
        }

        Assert.True(distance < 1.95 / Math.Sqrt(sorted.Length), $"distance {distance} of {sorted.Length} numbers");
    }

    /// <summary>Φ(x), by Simpson's rule from 0: error below 1e-8 for |x| up to 8.</summary>
    public static double NormalCumulative(double x) =>
        0.5 + Integral(t => Math.Exp(-t * t / 2) / Math.Sqrt(2 * Math.PI), 0, Math.Clamp(x, -8, 8), 100);

    /// <summary>Simpson's rule on an even number of intervals.</summary>
    public static double Integral(Func<double, double> f, double from, double to, int intervals = 1000)
    {
        double step = (to - from) / intervals;
        double sum = f(from) + f(to);
        for (int i = 1; i < intervals; i++)
        {
            sum += f(from + (i * step)) * (i % 2 == 1 ? 4 : 2);
        }

        return sum * step / 3;
    }
}
