using System.Numerics;
using Lipschitz.Data;
using Lipschitz.Names;
using Lipschitz.Randomness;

namespace Lipschitz.Core.Tests.Data;

public class ToyDensityTests
{
    private static readonly RandomKey s_key = new(1, RandomPurpose.TestData);

    public static TheoryData<string> Names => [.. ToyDensities.All.Select(density => density.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sample_depends_on_its_key_and_row_only(string name)
    {
        ToyDensity density = ToyDensities.Find(name);
        double[] whole = new double[200];
        density.Sample(s_key, 1000, whole);
        for (int first = 99; first >= 0; first -= 7)
        {
            double[] part = new double[2 * Math.Min(5, 100 - first)];
            density.Sample(s_key, 1000 + first, part);
            Assert.Equal(whole[(2 * first)..((2 * first) + part.Length)], part);
        }

        double[] other = new double[200];
        density.Sample(s_key with { Step = 1 }, 1000, other);
        Assert.Distinct(whole.Concat(other));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Successive_samples_are_uncorrelated(string name)
    {
        (double X, double Y)[] points = Sample(name);
        (double mx, double my) = (points.Average(p => p.X), points.Average(p => p.Y));
        Statistics.MeanIs(0, points.Zip(points.Skip(1), (p, q) => (p.X - mx) * (q.X - mx)), "x, x");
        Statistics.MeanIs(0, points.Zip(points.Skip(1), (p, q) => (p.X - mx) * (q.Y - my)), "x, y");
        Statistics.MeanIs(0, points.Zip(points.Skip(1), (p, q) => (p.Y - my) * (q.Y - my)), "y, y");
    }

    [Fact]
    public void Sampling_allocates_nothing()
    {
        double[] points = new double[100];
        foreach (ToyDensity density in ToyDensities.All)
        {
            density.Sample(s_key, 0, points);
            long before = GC.GetAllocatedBytesForCurrentThread();
            density.Sample(s_key, 0, points);
            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }

    [Fact]
    public void Rows_outside_32_bits_and_half_points_are_refused()
    {
        double[] points = new double[4];
        ToyDensity moons = ToyDensities.Find("moons");
        Assert.Throws<ArgumentOutOfRangeException>(() => moons.Sample(s_key, -1, points));
        Assert.Throws<ArgumentOutOfRangeException>(() => moons.Sample(s_key, (1L << 32) - 1, points));
        Assert.Throws<ArgumentException>(() => moons.Sample(s_key, 0, points.AsSpan(1)));
        moons.Sample(s_key, (1L << 32) - 2, points);
        Assert.DoesNotContain(0.0, points);
    }

    [Fact]
    public void All_eight_sets_are_found_by_their_names()
    {
        Assert.Equal(
            ["moons", "circles", "checkerboard", "8gaussians", "pinwheel", "2spirals", "swissroll", "rings"],
            ToyDensities.All.Select(density => density.Name));
        Assert.All(ToyDensities.All, density => Assert.Same(density, ToyDensities.Find(density.Name)));
    }

    [Fact]
    public void An_unknown_name_is_answered_with_the_known_ones()
    {
        var exception = Assert.Throws<UnknownNameException>(() => ToyDensities.Find("mons"));
        Assert.Equal(
            "unknown data set 'mons'; did you mean 'moons'? "
            + "known: moons, circles, checkerboard, 8gaussians, pinwheel, 2spirals, swissroll, rings",
            exception.Message);
    }

    [Fact]
    public void Moons_have_their_moments_and_stay_near_their_half_circles()
    {
        (double X, double Y)[] points = Sample("moons");
        double height = 4 / Math.PI; // mean of 2 sin t
        Statistics.MeanIs(0, points.Select(p => p.X), "x");
        Statistics.MeanIs(0.3, points.Select(p => p.Y), "y");
        Statistics.MeanIs(3.04, points.Select(p => p.X * p.X), "x²");
        double between = (height - 0.5) * (height - 0.5);
        Statistics.MeanIs(2 - (height * height) + between + 0.04, points.Select(p => (p.Y - 0.3) * (p.Y - 0.3)), "variance of y");
        Assert.All(points, p => Assert.True(Math.Min(Distance(p, -1, -0.2, 1), Distance(p, 1, 0.8, -1)) < 1.2));

        static double Distance((double X, double Y) p, double x, double y, int side) =>
            side * (p.Y - y) < -1 ? double.PositiveInfinity : Math.Abs(double.Hypot(p.X - x, p.Y - y) - 2);
    }

    [Theory]
    [InlineData("circles", 0.24, 3.0, 1.5)]
    [InlineData("rings", 0.08, 3.0, 2.25, 1.5, 0.75)]
    public void Circles_and_rings_lie_evenly_on_their_radii(string name, double noise, params double[] radii)
    {
        (double X, double Y)[] points = Sample(name);
        double[] squares = [.. points.Select(p => (p.X * p.X) + (p.Y * p.Y))];
        Statistics.MeanIs(radii.Average(r => r * r) + (2 * noise * noise), squares, "r²");
        double fourth = radii.Average(r => Math.Pow(r, 4) + (8 * r * r * noise * noise)) + (8 * Math.Pow(noise, 4));
        Statistics.MeanIs(fourth, squares.Select(s => s * s), "r⁴");
        double[] nearest = [.. squares.Select(s => radii.MinBy(r => Math.Abs(r - Math.Sqrt(s))))];
        Assert.All(squares.Zip(nearest), pair => Assert.InRange(Math.Sqrt(pair.First) - pair.Second, -6 * noise, 6 * noise));
        foreach (double radius in radii)
        {
            (double X, double Y)[] ring = [.. points.Where((_, i) => nearest[i] == radius)];
            Assert.InRange(ring.Length, 0.97 * points.Length / radii.Length, 1.03 * points.Length / radii.Length);
            Statistics.SharesAreEqual(Counts(ring.Select(p => (int)(((Math.Atan2(p.Y, p.X) / Math.PI) + 1) * 4) % 8), 8));
        }
    }

    [Fact]
    public void Checkerboard_is_uniform_on_exactly_the_eight_squares()
    {
        (double X, double Y)[] points = Sample("checkerboard");
        Assert.All(points, p => Assert.True(Math.Abs(p.X) <= 4 && Math.Abs(p.Y) <= 4));
        int[] squares = [.. points.Select(p => (4 * ((int)Math.Floor(p.X / 2) + 2)) + (int)Math.Floor(p.Y / 2) + 2)];
        int[] support = [.. Enumerable.Range(0, 16).Where(square => ((square / 4) + square) % 2 == 0)];
        Assert.Equal(support, squares.Distinct().Order());
        Statistics.SharesAreEqual(Counts(squares.Select(square => Array.IndexOf(support, square)), 8));
        Statistics.FollowsDistribution(x => (x + 4) / 8, [.. points.Select(p => p.X)]);
        Statistics.FollowsDistribution(y => y / 2, [.. points.Select(p => p.Y - (2 * Math.Floor(p.Y / 2)))]);
        Assert.Equal(Math.Log(8 * 4), ToyDensities.Find("checkerboard").Entropy);
    }

    [Fact]
    public void Eight_gaussians_are_normal_about_their_eight_centres()
    {
        (double X, double Y)[] points = Sample("8gaussians");
        int[] modes = [.. points.Select(p => (int)Math.Round((Math.Atan2(p.Y, p.X) / (Math.PI / 4)) + 8) % 8)];
        Statistics.SharesAreEqual(Counts(modes, 8));
        Statistics.MeanIs(16.5 / (1.414 * 1.414), points.Select(p => (p.X * p.X) + (p.Y * p.Y)), "r²");
        double[] alongX = [.. points.Zip(modes).Where(pair => pair.Second == 0).Select(pair => (pair.First.X * 1.414) - 4)];
        Statistics.FollowsDistribution(x => Statistics.NormalCumulative(x / 0.5), alongX);
    }

    [Fact]
    public void Pinwheel_has_five_arms_that_turn_clockwise_with_the_radius()
    {
        (double X, double Y)[] points = Sample("pinwheel");
        Statistics.MeanIs(4 * (1 + 0.09 + 0.01), points.Select(p => (p.X * p.X) + (p.Y * p.Y)), "r²");
        int[] arms = new int[5];
        foreach ((double x, double y) in points)
        {
            double radius = double.Hypot(x, y) / 2;
            if (radius is > 0.8 and < 1.2)
            {
                // Turned back by exp(r)/4, an arm is at -2πk/5, up to the tangential noise of 0.1 / 0.8.
                double turns = (-Math.Atan2(y, x) - (0.25 * Math.Exp(radius))) / (2 * Math.PI / 5);
                Assert.InRange(turns - Math.Round(turns), -0.5, 0.5);
                arms[((int)Math.Round(turns) + 10) % 5]++;
            }
        }

        Statistics.SharesAreEqual(arms);
        double[] phases = [.. points.Where(p => double.Hypot(p.X, p.Y) / 2 is > 0.8 and < 1.2)
            .Select(p => 5 * (-Math.Atan2(p.Y, p.X) - (0.25 * Math.Exp(double.Hypot(p.X, p.Y) / 2))))];
        Assert.InRange(phases.Average(Math.Cos), 0.84, 0.92); // exp(-25 · 0.1² / 2) = 0.88
        Assert.InRange(phases.Average(Math.Sin), -0.02, 0.02);
    }

    [Fact]
    public void Two_spirals_have_their_moments_and_stay_near_their_curve()
    {
        (double X, double Y)[] points = Sample("2spirals");
        const double end = 3 * Math.PI;
        double Mean(Func<double, double> f) => Statistics.Integral(n => f(n) * 2 * n / (end * end), 0, end); // n = end · sqrt U
        double cosine = Mean(n => n * Math.Cos(n));
        double sine = Mean(n => n * Math.Sin(n));
        double xx = (Mean(n => n * n * Math.Cos(n) * Math.Cos(n)) - (0.5 * cosine) + (0.25 / 3)) / 9;
        double yy = (Mean(n => n * n * Math.Sin(n) * Math.Sin(n)) + (0.5 * sine) + (0.25 / 3)) / 9;
        double xy = (-Mean(n => n * n * Math.Cos(n) * Math.Sin(n)) + (0.25 * sine) - (0.25 * cosine) + 0.0625) / 9;
        Statistics.MeanIs(0, points.Select(p => p.X), "x");
        Statistics.MeanIs(0, points.Select(p => p.Y), "y");
        Statistics.MeanIs(xx + 0.01, points.Select(p => p.X * p.X), "x²");
        Statistics.MeanIs(yy + 0.01, points.Select(p => p.Y * p.Y), "y²");
        Statistics.MeanIs(xy, points.Select(p => p.X * p.Y), "xy");

        (double X, double Y)[] curve = [.. Enumerable.Range(0, 1001).Select(i => i * end / 1000)
            .Select(n => (((-n * Math.Cos(n)) + 0.25) / 3, ((n * Math.Sin(n)) + 0.25) / 3))];
        Assert.All(points.Take(1000), p => Assert.True(
            curve.Min(c => Math.Min(double.Hypot(p.X - c.X, p.Y - c.Y), double.Hypot(p.X + c.X, p.Y + c.Y))) < 0.6));
    }

    [Fact]
    public void Swissroll_has_its_moments()
    {
        (double X, double Y)[] points = Sample("swissroll");
        double Mean(Func<double, double> f) => Statistics.Integral(f, 1.5 * Math.PI, 4.5 * Math.PI) / (3 * Math.PI);
        Statistics.MeanIs(Mean(t => t * Math.Cos(t)) / 5, points.Select(p => p.X), "x");
        Statistics.MeanIs(Mean(t => t * Math.Sin(t)) / 5, points.Select(p => p.Y), "y");
        Statistics.MeanIs(Mean(t => (t * t * Math.Cos(t) * Math.Cos(t)) + 1) / 25, points.Select(p => p.X * p.X), "x²");
        Statistics.MeanIs(Mean(t => (t * t * Math.Sin(t) * Math.Sin(t)) + 1) / 25, points.Select(p => p.Y * p.Y), "y²");
        Statistics.MeanIs(Mean(t => t * t * Math.Cos(t) * Math.Sin(t)) / 25, points.Select(p => p.X * p.Y), "xy");
    }

    [Theory]
    [InlineData(2, 2)] // where it changes most with the offsets' width
    [InlineData(6, 3)]
    [InlineData(9, 8)]
    [InlineData(5, -5)]
    public void Two_spirals_have_their_characteristic_function(double a, double b)
    {
        const double end = 3 * Math.PI;
        Complex offsets = Uniform(a / 6) * Uniform(b / 6);
        double expected = Statistics.Integral(
            n => (Complex.Exp(Complex.ImaginaryOne * n * ((b * Math.Sin(n)) - (a * Math.Cos(n))) / 3) * offsets).Real * 2 * n / (end * end),
            0,
            end,
            4000) * Math.Exp(-0.01 * ((a * a) + (b * b)) / 2);
        Statistics.MeanIs(expected, Sample("2spirals", 400_000).Select(p => Math.Cos((a * p.X) + (b * p.Y))));

        static Complex Uniform(double s) => s == 0 ? 1 : (Complex.Exp(Complex.ImaginaryOne * s) - 1) / (Complex.ImaginaryOne * s);
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(0, 5)]
    [InlineData(4, 4)]
    [InlineData(4, -4)]
    public void Swissroll_has_its_characteristic_function(double a, double b)
    {
        double noise = Math.Exp(-((a * a) + (b * b)) / 50);
        double Mean(Func<double, double> f) =>
            noise * Statistics.Integral(t => f(t * ((a * Math.Cos(t)) + (b * Math.Sin(t))) / 5), 1.5 * Math.PI, 4.5 * Math.PI) / (3 * Math.PI);
        (double X, double Y)[] points = Sample("swissroll", 200_000);
        Statistics.MeanIs(Mean(Math.Cos), points.Select(p => Math.Cos((a * p.X) + (b * p.Y))), "real part");
        Statistics.MeanIs(Mean(Math.Sin), points.Select(p => Math.Sin((a * p.X) + (b * p.Y))), "imaginary part");
    }

    private static (double X, double Y)[] Sample(string name, int count = 40_000)
    {
        double[] points = new double[2 * count];
        ToyDensities.Find(name).Sample(s_key, 0, points);
        return [.. points.Chunk(2).Select(pair => (pair[0], pair[1]))];
    }

    private static int[] Counts(IEnumerable<int> values, int length)
    {
        int[] counts = new int[length];
        foreach (int value in values)
        {
            counts[value]++;
        }

        return counts;
    }
}
