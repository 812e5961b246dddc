using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Tests;

public class RoundingTests
{
    [Fact]
    public void The_probe_accepts_this_machine() => FloatingPoint.ThrowUnlessIeee();

    [Fact]
    public void Outward_operations_are_on_the_promised_side_of_the_rational_result()
    {
        var random = new Random(1);
        for (int k = 0; k < 2000; k++)
        {
            double a = Draw(random), b = Draw(random);
            Rational ra = Rational.Exactly(a), rb = Rational.Exactly(b);
            Check(ra + rb, Outward.AddDown(a, b), Outward.AddUp(a, b));
            Check(ra - rb, Outward.SubtractDown(a, b), Outward.SubtractUp(a, b));
            Check(ra * rb, Outward.MultiplyDown(a, b), Outward.MultiplyUp(a, b));
            Check(ra / rb, Outward.DivideDown(a, b), Outward.DivideUp(a, b));
            double down = Outward.SqrtDown(Math.Abs(a)), up = Outward.SqrtUp(Math.Abs(a));
            Rational magnitude = Rational.Exactly(Math.Abs(a));
            Assert.True(Rational.Exactly(down) * Rational.Exactly(down) <= magnitude && Rational.Exactly(up) * Rational.Exactly(up) >= magnitude);
            Interval x = new(Math.Min(a, b), Math.Max(a, b)), y = new(-Math.Abs(b), Math.Abs(a));
            Check(ra * Rational.Exactly(y.Lower), (x * y).Lower, (x * y).Upper);
            Check(rb * Rational.Exactly(y.Upper), (x * y).Lower, (x * y).Upper);
            Check(rb * rb, x.Square().Lower, x.Square().Upper);
        }

        static double Draw(Random random) =>
            Math.ScaleB((random.NextDouble() + 0.1) * (random.Next(2) == 0 ? -1 : 1), random.Next(5) == 0 ? random.Next(-530, 500) : random.Next(-20, 20));

        static void Check(Rational exact, double down, double up)
        {
            Assert.True(Rational.Exactly(down) <= exact);
            Assert.True(Rational.Exactly(up) >= exact);
        }
    }

    [Fact]
    public void Exponentials_enclose_rational_ones_tightly()
    {
        var random = new Random(2);
        for (int k = 0; k < 60; k++)
        {
            double x = k < 40 ? random.NextDouble() * 3 : random.NextDouble() * 40;
            (Rational lower, Rational upper) = Rational.Exp(Rational.Exactly(x), k < 40 ? 30 : 160);
            Interval e = IntervalFunctions.Exp((Interval)x);
            Assert.True(Rational.Exactly(e.Lower) <= lower && Rational.Exactly(e.Upper) >= upper);
            Assert.True((e.Upper / e.Lower) - 1 < 3e-14);
            Interval minus = IntervalFunctions.Exp((Interval)(-x));
            Assert.True(Rational.Exactly(minus.Lower) * upper <= 1 && Rational.Exactly(minus.Upper) * lower >= 1);
            Interval log = IntervalFunctions.Log(e);
            Assert.True(log.Contains(x) && log.Upper - log.Lower < 1e-13);
            Interval power = IntervalFunctions.Pow(IntervalFunctions.Pow((Interval)(x + 1e-3), 1.7), 1 / (Interval)1.7);
            Assert.True(power.Contains(x + 1e-3) && power.Radius < 1e-13 * (1 + x));
        }

        Assert.Equal(0, IntervalFunctions.Exp(-1e9).Lower);
        Assert.True(IntervalFunctions.Exp(-1e9).Upper > 0 && double.IsPositiveInfinity(IntervalFunctions.Exp(1e9).Upper));
    }

    [Fact]
    public void Log_2_and_pi_lie_between_their_neighbouring_doubles()
    {
        // exp(lower) < 2 < exp(upper); pi = 16 atan(1/5) - 4 atan(1/239) (Machin), alternating sums.
        Interval ln2 = IntervalFunctions.Ln2, pi = IntervalFunctions.Pi;
        Assert.True(Rational.Exp(Rational.Exactly(ln2.Lower), 30).Upper < 2 && Rational.Exp(Rational.Exactly(ln2.Upper), 30).Lower > 2);
        Rational low = (16 * Arctangent(5, 29)) - (4 * Arctangent(239, 28)), high = (16 * Arctangent(5, 28)) - (4 * Arctangent(239, 29));
        Assert.True(low > Rational.Exactly(pi.Lower) && high < Rational.Exactly(pi.Upper) && low < high);

        // An odd number of last terms subtracted gives a sum from below.
        static Rational Arctangent(int n, int last)
        {
            Rational sum = 0, power = new(1, n);
            for (int k = 0; k <= last; k++)
            {
                sum += (k % 2 == 0 ? 1 : -1) * power / ((2 * k) + 1);
                power /= n * n;
            }

            return sum;
        }
    }

    [Fact]
    public void Cosines_and_sines_enclose_and_are_narrow()
    {
        for (long a = -90; a <= 90; a++)
        {
            (Interval c, Interval s) = IntervalFunctions.CosSinPi(a, 37);
            Assert.Equal(Math.Cos(Math.PI * a / 37), c.Middle, 1e-14);
            Assert.Equal(Math.Sin(Math.PI * a / 37), s.Middle, 1e-14);
            Assert.True(c.Radius < 2e-15 && s.Radius < 2e-15);
            Assert.True((c.Square() + s.Square()).Contains(1));
        }

        Assert.Equal(0, IntervalFunctions.CosSinPi(1, 2).Cos.Magnitude);
        Assert.Equal(-1, IntervalFunctions.CosSinPi(3, 3).Cos.Upper);
    }

    [Fact]
    public void Gamma_is_at_least_nu_over_1_minus_nu()
    {
        foreach (long n in new long[] { 1, 2, 3, 1000, 3073, 1 << 30 })
        {
            Rational nu = new Rational(n, 1) * Rational.Exactly(FloatingPoint.UnitRoundoff);
            Assert.True(Rational.Exactly(FloatingPoint.Gamma(n)) >= nu / (1 - nu));
        }
    }
}
