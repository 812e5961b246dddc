using Lipschitz.Data;
using Lipschitz.Randomness;

namespace Lipschitz.Core.Tests.Data;

/// <summary>The stated entropies against densities written down and integrated here, and those against the samplers.</summary>
public class ToyEntropyTests
{
    private const double Deviation = 2 * 0.1; // of the moons' noise
    private const double CircleDeviation = 3 * 0.08;

    [Fact]
    public void The_entropy_of_moons_is_that_of_two_noisy_half_circles()
    {
        ((double X, double Y)[] arcs, double weight) = HalfCircles();
        double Density(double x, double y)
        {
            double sum = 0;
            foreach ((double cx, double cy) in arcs)
            {
                sum += Math.Exp(-(((x - cx) * (x - cx)) + ((y - cy) * (y - cy))) / (2 * Deviation * Deviation));
            }

            return sum * weight / (2 * Math.PI * Deviation * Deviation);
        }

        const double step = 0.06;
        double mass = 0;
        double entropy = 0;
        for (double x = -4.2; x <= 4.2; x += step)
        {
            for (double y = -2.4; y <= 3; y += step)
            {
                double p = Density(x, y);
                mass += p * step * step;
                entropy -= p > 0 ? p * Math.Log(p) * step * step : 0;
            }
        }

        Assert.Equal(1, mass, 1e-6);
        Assert.Equal(ToyDensities.Find("moons").Entropy!.Value, entropy, 0.0006);
        SamplerHasEntropy("moons", entropy, Density, 10_000);
    }

    [Fact]
    public void The_entropy_of_circles_is_that_of_two_noisy_circles()
    {
        // A circle of radius R with noise of deviation s has density exp(-(r² + R²) / 2s²) I0(rR / s²) / 2πs².
        const double s2 = CircleDeviation * CircleDeviation;
        double Circle(double r, double radius) =>
            Math.Exp(-(r - radius) * (r - radius) / (2 * s2)) * ScaledBesselI0(r * radius / s2) / (2 * Math.PI * s2);
        double Density(double r) => (Circle(r, 3) + Circle(r, 1.5)) / 2;

        double entropy = Statistics.Integral(r => r == 0 ? 0 : -Density(r) * Math.Log(Density(r)) * 2 * Math.PI * r, 0, 5, 500);
        Assert.Equal(1, Statistics.Integral(r => Density(r) * 2 * Math.PI * r, 0, 5, 500), 1e-6);
        Assert.Equal(ToyDensities.Find("circles").Entropy!.Value, entropy, 0.0006);
        SamplerHasEntropy("circles", entropy, (x, y) => Density(double.Hypot(x, y)), 10_000);
    }

    /// <summary>The mean of -log p over the sampler's points is the entropy of p, as it is only if they follow p or something like it.</summary>
    private static void SamplerHasEntropy(string name, double entropy, Func<double, double, double> density, int count)
    {
        double[] points = new double[2 * count];
        ToyDensities.Find(name).Sample(new RandomKey(7, RandomPurpose.TestData), 0, points);
        double[] surprise = [.. points.Chunk(2).Select(p => -Math.Log(density(p[0], p[1])))];
        Statistics.MeanIs(entropy, surprise, "mean of -log p");
    }

    /// <summary>Equally spaced midpoints of the two arcs, closer together than a fifth of the noise, and the weight of each.</summary>
    private static ((double X, double Y)[] Points, double Weight) HalfCircles()
    {
        const int half = 160;
        var points = new (double, double)[2 * half];
        for (int i = 0; i < half; i++)
        {
            (double sin, double cos) = Math.SinCos(Math.PI * (i + 0.5) / half);
            points[i] = ((2 * cos) - 1, (2 * sin) - 0.2);
            points[half + i] = ((2 * (1 - cos)) - 1, (2 * (0.5 - sin)) - 0.2);
        }

        return (points, 0.5 / half);
    }

    /// <summary>exp(-z) I0(z) = (1/π) times the integral over [0, π] of exp(z (cos t - 1)); the trapezoidal rule is exact to 1e-15 here.</summary>
    private static double ScaledBesselI0(double z)
    {
        const int intervals = 160;
        double sum = (1 + Math.Exp(-2 * z)) / 2;
        for (int i = 1; i < intervals; i++)
        {
            sum += Math.Exp(z * (Math.Cos(Math.PI * i / intervals) - 1));
        }

        return sum / intervals;
    }
}
