using FsCheck.Fluent;
using Lipschitz.Flows;

namespace Lipschitz.Properties;

/// <summary>What a branch that is less than 1-Lipschitz promises of its block.</summary>
public class FlowProperties
{
    private const int Rows = 6;

    [Fact]
    public void A_round_trip_ends_within_the_reported_bound() => Property.Holds(
        from shape in Models.Shapes(3)
        from tolerance in Gen.Elements(1e-2, 1e-5, 1e-8)
        select (Shape: shape, Tolerance: tolerance),
        c =>
        {
            Flow flow = Models.Flow(c.Shape);
            if (flow.Blocks.Any(block => block.BranchBound >= 0.97))
            {
                return; // too slow to wait for
            }

            var random = new Random(c.Shape.Seed);
            double[] x = Points(random, c.Shape.Width);
            InverseReport report = flow.Inverse(flow.Forward(x), c.Tolerance, 20_000);
            for (int row = 0; row < Rows; row++)
            {
                // The rounding of ActNorms and of the way forward is in no bound: it is some units of the size of the points.
                double[] point = x[(row * c.Shape.Width)..((row + 1) * c.Shape.Width)];
                double[] back = report.Points[(row * c.Shape.Width)..((row + 1) * c.Shape.Width)];
                double error = Vectors.Norm(Vectors.Minus(point, back), 2);
                Property.AtMost(error, report.ErrorBounds[row] + (1e-11 * (1 + Vectors.Norm(point, 2))), $"row {row}: error above its bound");
                Property.AtMost(report.Iterations[row], 20_000 * c.Shape.Blocks, "iterations");
            }
        },
        80);

    [Fact]
    public void A_block_stretches_by_at_most_1_plus_L_and_at_least_1_minus_L() => Property.Holds(
        from shape in Models.Shapes(1)
        from p in Property.Exponent
        select (Shape: shape, P: p),
        c =>
        {
            ResidualBlock block = Models.Block(c.Shape, 0);
            double lipschitz = c.P == 2 ? block.BranchBound : block.Branch.Bound(c.P);
            var random = new Random(c.Shape.Seed);
            double[] x = Points(random, c.Shape.Width);
            double[] other = Vectors.Plus(x, Math.Pow(10, random.Next(-3, 3)), [.. Enumerable.Range(0, Rows).SelectMany(_ => Vectors.Draw(random, c.Shape.Width))]);
            double[] fx = Models.Forward(block, x), fOther = Models.Forward(block, other);
            for (int row = 0; row < Rows; row++)
            {
                double apart = Distance(x, other, row), images = Distance(fx, fOther, row);
                double rounding = 1e-12 * (1 + Size(x, row) + Size(other, row));
                Property.AtMost(images, ((1 + lipschitz) * apart) + rounding, $"row {row}, p = {c.P}: stretched");
                Property.AtMost((1 - lipschitz) * apart, images + rounding, $"row {row}, p = {c.P}: shrunk");
            }

            double Distance(double[] a, double[] b, int row) => Size(Vectors.Minus(a, b), row);

            double Size(double[] a, int row) => Vectors.Norm(a.AsSpan(row * c.Shape.Width, c.Shape.Width), c.P);
        });

    [Fact]
    public void The_inverse_of_a_chain_is_as_Lipschitz_as_its_parts_say() => Property.Holds(
        Models.Shapes(2),
        shape =>
        {
            Flow flow = Models.Flow(shape);
            if (flow.Blocks.Any(block => block.BranchBound >= 0.9))
            {
                return;
            }

            var random = new Random(shape.Seed);
            double stretch = flow.Bijections.Aggregate(1.0, (product, bijection) => product * bijection.InverseLipschitz);
            double[] z = Points(random, shape.Width), other = Points(random, shape.Width);
            double[] x = flow.Inverse(z, 1e-9).Points, xOther = flow.Inverse(other, 1e-9).Points;
            for (int row = 0; row < Rows; row++)
            {
                Range range = (row * shape.Width)..((row + 1) * shape.Width);
                Property.AtMost(
                    Vectors.Norm(Vectors.Minus(x[range], xOther[range]), 2),
                    (stretch * Vectors.Norm(Vectors.Minus(z[range], other[range]), 2)) + (1e-6 * (1 + stretch)), "inverse");
            }
        },
        60);

    // Most near the origin, some far out.
    private static double[] Points(Random random, int width) => [.. Enumerable.Range(0, Rows).SelectMany(row =>
    {
        double scale = row < 3 ? 1 : Math.Pow(10, random.Next(-3, 7));
        return Vectors.Draw(random, width).Select(v => v * scale);
    })];
}
