using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Flows;

/// <summary>When the fixed-point iteration stops, what it reports, and how it fails.</summary>
public class InverseTests
{
    [Fact]
    public void Slow_convergence_still_reaches_the_tolerance()
    {
        // x - 0.98 x = 1 has the solution 50. A rule that stops at small steps ends 0.218 away from it.
        InverseReport report = BijectionTable.OfMatrix(BijectionTable.Backend, -0.98).Inverse([1.0], 1e-5);
        Assert.InRange(report.ErrorBounds[0], 0, 1e-5);
        Assert.InRange(Math.Abs(report.Points[0] - 50), 0, report.ErrorBounds[0]);
        Assert.InRange(report.Iterations[0], 500, 1500);
    }

    [Fact]
    public void The_bound_is_attained_by_a_branch_that_shrinks_all_steps_alike()
    {
        // For g(x) = -L x steps shrink by exactly L, so Banach's bound is an equality.
        InverseReport report = BijectionTable.OfMatrix(BijectionTable.Backend, -0.5).Inverse([1.0], 1e-3);
        Assert.Equal(Math.Abs(report.Points[0] - 2), report.ErrorBounds[0], 1e-11);
        Assert.InRange(report.ErrorBounds[0], 0.25e-3, 1e-3);
    }

    [Fact]
    public void Each_row_stops_on_its_own_and_gives_what_it_gives_alone()
    {
        Flow flow = BijectionTable.Create("block, dense net", 2);
        double[] z = [0, 0, 1e4, -1e4, 0.1, 0.2, 30, 30, -5, 1e6];
        InverseReport together = flow.Inverse(z, 1e-6);
        Assert.True(together.Iterations.Distinct().Count() > 2);
        for (int row = 0; row < 5; row++)
        {
            InverseReport alone = flow.Inverse(z[(2 * row)..((2 * row) + 2)], 1e-6);
            Assert.Equal(alone.Points, together.Points[(2 * row)..((2 * row) + 2)]);
            Assert.Equal(alone.Iterations[0], together.Iterations[row]);
            Assert.Equal(alone.Residuals[0], together.Residuals[row]);
            Assert.Equal(alone.ErrorBounds[0], together.ErrorBounds[row]);
        }
    }

    [Fact]
    public void A_shard_border_changes_nothing()
    {
        Flow flow = BijectionTable.Create("two blocks", 2);
        double[] z = Normal(new Random(1), 2 * (Flow.PointsPerShard + 3));
        InverseReport all = flow.Inverse(z, 1e-6), last = flow.Inverse(z[(2 * Flow.PointsPerShard)..], 1e-6);
        Assert.Equal(last.Points, all.Points[(2 * Flow.PointsPerShard)..]);
        Assert.Equal(last.ErrorBounds, all.ErrorBounds[Flow.PointsPerShard..]);
    }

    [Fact]
    public void A_branch_that_may_expand_is_refused_by_name()
    {
        Flow flow = BijectionTable.OfMatrix(BijectionTable.Backend, 0.6, 0.9, 0, 0.6);
        ConvergenceException failure = Assert.Throws<ConvergenceException>(() => flow.Inverse([1.0, 1.0]));
        Assert.Contains("blocks.0", failure.Message, StringComparison.Ordinal);
        Assert.Contains("1.2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Running_out_of_iterations_is_a_failure_that_says_how_far_it_came()
    {
        Flow flow = BijectionTable.OfMatrix(BijectionTable.Backend, -0.98);
        ConvergenceException failure = Assert.Throws<ConvergenceException>(() => flow.Inverse([1.0], 1e-5, 100));
        Assert.Contains("after 100 iterations", failure.Message, StringComparison.Ordinal);
        Assert.Contains("blocks.0", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, flow.Inverse([0.0], 1e-5, 1).Iterations[0]);
    }

    [Fact]
    public void A_point_that_is_not_finite_fails()
    {
        Flow flow = BijectionTable.Create("block, dense net", 2);
        Assert.Throws<ConvergenceException>(() => flow.Inverse([1.0, double.NaN]));
    }

    [Fact]
    public void Single_precision_stops_where_steps_are_rounding_and_says_so()
    {
        IBackend backend = ReferenceBackend.Create(Precision.Float32);
        Flow flow = BijectionTable.OfMatrix(backend, 0.3, 0.93, -0.93, 0.31);
        double[] x = [1000, -3000, 0.1, 0.2];
        InverseReport report = flow.Inverse(flow.Forward(x), 1e-6, 5000);
        Assert.True(report.ErrorBounds[0] > 1e-6, $"bound {report.ErrorBounds[0]}");
        for (int row = 0; row < 2; row++)
        {
            Assert.InRange(BijectionTests.Distance(x, report.Points, row, 2), 0, report.ErrorBounds[row]);
        }
    }

    [Fact]
    public void Single_precision_reports_the_rounding_of_the_branch_too()
    {
        // The iteration ends at a fixed point of the rounded map: the last step is zero, the error is not.
        IBackend backend = ReferenceBackend.Create(Precision.Float32);
        Flow flow = BijectionTable.OfMatrix(backend, -0.98);
        double weight = flow.Parameters[0].Value is var w ? Host(backend, w)[0] : 0;
        InverseReport report = flow.Inverse([1.0, 100, -7777], 1e-6, 5000);
        for (int row = 0; row < 3; row++)
        {
            double truth = new[] { 1.0, 100, -7777 }[row] / (1 + weight);
            Assert.InRange(Math.Abs(truth - report.Points[row]), 0, report.ErrorBounds[row]);
        }
    }

    [Theory, MemberData(nameof(BijectionTable.NamesAndWidths), MemberType = typeof(BijectionTable))]
    public void Round_trips_in_single_precision_stay_within_the_reported_error(string name, int width)
    {
        IBackend backend = ReferenceBackend.Create(Precision.Float32);
        Flow exact = BijectionTable.Create(name, width), flow = BijectionTable.Create(name, width, backend);
        for (int i = 0; i < flow.Parameters.Count; i++)
        {
            exact.Backend.Upload(Host(backend, flow.Parameters[i].Value), exact.Parameters[i].Value);
        }

        exact.Prepare();
        double[] z = [.. Normal(new Random(6), 40 * width).Select((v, i) => (float)(v * (i % 5 == 0 ? 100 : 1)))];
        InverseReport report = flow.Inverse(z, 1e-5), truth = exact.Inverse(z, 1e-11);
        for (int row = 0; row < 40; row++)
        {
            double size = Math.Sqrt(Enumerable.Range(row * width, width).Sum(i => truth.Points[i] * truth.Points[i]));
            Assert.InRange(BijectionTests.Distance(truth.Points, report.Points, row, width), 0, report.ErrorBounds[row] + (2e-7 * size));
        }
    }

    [Fact]
    public void Errors_are_carried_through_the_inverses_in_front()
    {
        IBackend backend = BijectionTable.Backend;
        Flow first = BijectionTable.OfMatrix(backend, -0.5), last = BijectionTable.OfMatrix(backend, 0.6);
        var norm = new ActNorm(backend, "norm", 1);
        backend.Fill(norm.Parameters[1].Value, -2); // its inverse stretches by e^2
        var chain = new Flow(backend, [first.Bijections[0], norm, last.Bijections[0]]);
        InverseReport whole = chain.Inverse([3.0], 1e-3);
        InverseReport tail = last.Inverse([3.0], 1e-3);
        double between = tail.Points[0] * Math.Exp(2);
        InverseReport head = first.Inverse([between], 1e-3);
        Assert.Equal((tail.ErrorBounds[0] * Math.Exp(2) / (1 - 0.5)) + head.ErrorBounds[0], whole.ErrorBounds[0], 1e-9);
        Assert.Equal(tail.Iterations[0] + head.Iterations[0], whole.Iterations[0]);
        Assert.Equal(Math.Max(tail.Residuals[0], head.Residuals[0]), whole.Residuals[0]);
        double truth = 3 / 1.6 * Math.Exp(2) / 0.5;
        Assert.InRange(Math.Abs(whole.Points[0] - truth), 1e-5, whole.ErrorBounds[0]);
    }

    private static double[] Host(IBackend backend, Tensor tensor)
    {
        var values = new double[tensor.Count];
        backend.Download(tensor, values);
        return values;
    }
}
