using Lipschitz.Core.Tests.Backends;

namespace Lipschitz.Core.Tests.Layers;

/// <summary>|J t|_p / |t|_p never exceeds what a layer says of itself, whatever is tried.</summary>
public class LayerBoundTests
{
    private const double Rounding = 1 + 1e-9;
    private const int Starts = 12;

    public static TheoryData<string> Names => LayerTable.Names;

    [Theory, MemberData(nameof(Names))]
    public void The_bound_holds_in_every_norm(string name)
    {
        foreach (double p in new[] { 1, 1.5, 2, 3, double.PositiveInfinity })
        {
            double largest = LargestStretch(new LayerProbe(LayerTable.Create(name)), p, out double bound);
            Assert.True(largest <= bound * Rounding, $"p = {p}: stretched by {largest:R}, bound {bound:R}");
            Assert.True(bound <= 100 * largest, $"p = {p}: the bound {bound:R} says nothing about {largest:R}");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void The_estimate_holds_once_the_norms_have_converged(string name)
    {
        var probe = new LayerProbe(LayerTable.Create(name));
        double largest = LargestStretch(probe, 2, out double bound);

        // Estimates of layers normalised in another norm are in that norm, so they say nothing about this one.
        if (!name.Contains("to", StringComparison.Ordinal) && !name.Contains("doubling", StringComparison.Ordinal))
        {
            Assert.True(largest <= probe.Layer.LipschitzEstimate * Rounding, $"stretched by {largest:R}, estimate {probe.Layer.LipschitzEstimate:R}");
            Assert.InRange(probe.Layer.LipschitzEstimate, 0.99 * bound, bound * Rounding);
        }
    }

    [Theory]
    [InlineData("linear, spectral norm above the coefficient", 0.9)]
    [InlineData("linear, wide, spectral", 0.7)]
    public void A_spectral_weight_reaches_its_coefficient(string name, double coefficient)
    {
        double largest = LargestStretch(new LayerProbe(LayerTable.Create(name)), 2, out double bound);
        Assert.Equal(coefficient, largest, 1e-9);
        Assert.InRange(bound, largest * (1 - 1e-12), largest * 1.001);
    }

    // Random directions, and the power method for p-norms (Boyd 1974) from each of them at random points.
    private static double LargestStretch(LayerProbe probe, double p, out double bound)
    {
        bound = probe.Layer.Bound(p);
        var random = new Random(3);
        int inputs = probe.Layer.InputWidth, outputs = probe.Layer.OutputWidth;
        double[] x = Differences.Normal(random, Starts * inputs);
        double[] t = Differences.Normal(random, Starts * inputs);
        double largest = 0;
        for (int iteration = 0; iteration < 60; iteration++)
        {
            double[] image = probe.Jvp(x, t);
            for (int row = 0; row < Starts; row++)
            {
                double size = VectorNorms.Norm(Row(t, row, inputs), p);
                largest = Math.Max(largest, VectorNorms.Norm(Row(image, row, outputs), p) / (size == 0 ? 1 : size));
            }

            if (iteration < 30)
            {
                t = Differences.Normal(random, Starts * inputs);
                continue;
            }

            double[] back = probe.Vjp(x, [.. Enumerable.Range(0, Starts).SelectMany(row => VectorNorms.Dual(Row(image, row, outputs), p))]);
            t = [.. Enumerable.Range(0, Starts).SelectMany(row => VectorNorms.Dual(Row(back, row, inputs), VectorNorms.Conjugate(p)))];
        }

        return largest;
    }

    private static ReadOnlySpan<double> Row(double[] matrix, int row, int width) => matrix.AsSpan(row * width, width);
}
