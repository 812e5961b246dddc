using Lipschitz.Backends;
using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Tests;

public class ActivationTests
{
    [Fact]
    public void T_is_enclosed_by_neighbouring_doubles()
    {
        Assert.Equal(Math.BitIncrement(SwishConstants.T.Lower), SwishConstants.T.Upper);
        Assert.InRange(SwishConstants.T.Middle, 1.19967864025773, 1.19967864025774);
    }

    [Fact]
    public void LipSwish_is_below_one_because_the_Taylor_sum_of_exp_12_5_passes_11()
    {
        Rational sum = Rational.Exp(new Rational(12, 5), 8).Lower;
        Assert.Equal(new Rational(150577583, 13671875), sum);
        Assert.True(sum > 11);
        Assert.True(SwishConstants.LipSwishIsBelowOne());
        Assert.InRange(ActivationBound.Lipschitz(Activation.LipSwish, 2), 0.999853927, 0.999853928);
        Assert.InRange(ActivationBound.Slopes(Activation.LipSwish).Lower, -0.09077, -0.09076);
    }

    [Fact]
    public void CLipSwish_is_below_one_at_2_and_above_at_1_and_one_and_a_half()
    {
        Assert.True(SwishConstants.CLipSwishIsBelowOne());
        Assert.InRange(ActivationBound.Lipschitz(Activation.CLipSwish, 2), 1.0039650 / 1.004 - 1e-7, 0.99999999);
        Assert.InRange(ActivationBound.Lipschitz(Activation.CLipSwish, 1), 1.0862, 1.0863);
        Assert.InRange(ActivationBound.Lipschitz(Activation.CLipSwish, 1.5), 1.0139, 1.0140);
        Assert.True(ActivationBound.Lipschitz(Activation.CLipSwish, double.PositiveInfinity) < 1);

        // The bounds above 1 are not slack: t itself, from below, in rational arithmetic at p = 1.
        Rational fromBelow = Rational.Exactly(SwishConstants.T.Lower) / (new Rational(11, 10) * new Rational(1004, 1000));
        Assert.True(fromBelow > 1);
    }

    [Fact]
    public void Branch_and_bound_finds_the_closed_form_of_LipSwish()
    {
        static Interval Slope(Interval v)
        {
            Interval s = IntervalFunctions.Sigmoid(v);
            return s * (1 + (v * (1 - s)));
        }

        // For |v| >= 40: 0 <= sigmoid(-|v|) |v| < 1e-15, so the slope is within 1e-15 of 0 or 1.
        Interval range = SlopeRange.Enclose(Slope, new(-40, 40), new(-1e-15, 1 + 1e-15), 1e-5);
        Assert.InRange(range.Upper, SwishConstants.LargestSlope.Upper, SwishConstants.LargestSlope.Upper + 2e-5);
        Assert.InRange(range.Lower, SwishConstants.LeastSlope.Lower - 2e-5, SwishConstants.LeastSlope.Lower);
    }

    [Fact]
    public void Bounds_dominate_Cores_constants_and_sampled_slopes()
    {
        foreach (Activation f in Enum.GetValues<Activation>())
        {
            foreach (double p in new[] { 1, 1.5, 2, 3, double.PositiveInfinity })
            {
                double bound = ActivationBound.Lipschitz(f, p), formula = f.LipschitzConstant(p);
                Assert.InRange(bound, formula - 3e-16, formula + 1e-12);
            }
        }

        foreach (double v in Enumerable.Range(-3000, 6001).Select(k => k / 100.0))
        {
            double s = 1 / (1 + Math.Exp(-v)), slope = s * (1 + (v * (1 - s)));
            Assert.InRange(slope / 1.1, ActivationBound.Slopes(Activation.LipSwish).Lower, ActivationBound.Slopes(Activation.LipSwish).Upper);
            double pair = Math.Sqrt((slope * slope) + ((1 - slope) * (1 - slope))) / 1.1 / 1.004;
            Assert.True(pair <= ActivationBound.Lipschitz(Activation.CLipSwish, 2));
        }
    }
}
