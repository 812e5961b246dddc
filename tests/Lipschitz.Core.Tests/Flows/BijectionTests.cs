using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Flows;

/// <summary>Log-determinants, gradients and round trips of every row of the table of bijections.</summary>
public class BijectionTests
{
    private const int Rows = 3;

    public static TheoryData<string, int> NamesAndWidths => BijectionTable.NamesAndWidths;

    [Theory, MemberData(nameof(NamesAndWidths))]
    public void The_log_determinant_is_that_of_the_full_Jacobian(string name, int width) =>
        CheckLogDet(BijectionTable.Create(name, width), Normal(new Random(1), Rows * width), 1e-5);

    internal static void CheckLogDet(Flow flow, double[] x, double step)
    {
        int width = flow.Width;
        (_, double[] logDet) = Pass(flow, new ExactDeterminant(), x);
        for (int row = 0; row < x.Length / width; row++)
        {
            double[] point = x[(row * width)..((row + 1) * width)];
            var jacobian = new double[width * width];
            for (int j = 0; j < width; j++)
            {
                double[] up = [.. point], down = [.. point];
                up[j] += step;
                down[j] -= step;
                double[] a = flow.Forward(up), b = flow.Forward(down);
                for (int i = 0; i < width; i++)
                {
                    jacobian[(i * width) + j] = (a[i] - b[i]) / (2 * step);
                }
            }

            CloseToDifferences([DenseMatrix.LogAbsoluteDeterminant(jacobian, width)], [logDet[row]]);
        }
    }

    [Theory, MemberData(nameof(NamesAndWidths))]
    public void The_pass_and_Forward_agree_and_LogProb_adds_the_base_density(string name, int width)
    {
        Flow flow = BijectionTable.Create(name, width);
        double[] x = Normal(new Random(2), Rows * width);
        (double[] z, double[] logDet) = Pass(flow, new ExactDeterminant(), x);
        Close(z, flow.Forward(x), 1e-14);
        double[] expected = [.. Enumerable.Range(0, Rows).Select(row =>
            logDet[row] - (0.5 * z[(row * width)..((row + 1) * width)].Sum(v => (v * v) + Math.Log(2 * Math.PI))))];
        Close(expected, flow.LogProb(x, new ExactDeterminant()).Values);
    }

    [Theory, MemberData(nameof(NamesAndWidths))]
    public void Backward_is_the_gradient_with_the_exact_determinant(string name, int width) =>
        CheckGradients(BijectionTable.Create(name, width), Normal(new Random(4), Rows * width), new ExactDeterminant());

    [Theory, MemberData(nameof(NamesAndWidths))]
    public void Backward_is_the_gradient_with_the_exact_trace_series(string name, int width) =>
        CheckGradients(BijectionTable.Create(name, width), Normal(new Random(4), Rows * width), new ExactTraceSeries(5));

    [Theory, MemberData(nameof(NamesAndWidths))]
    public void A_round_trip_stays_within_the_reported_error(string name, int width)
    {
        Flow flow = BijectionTable.Create(name, width);
        double[] x = Normal(new Random(3), 50 * width);
        for (int i = 0; i < x.Length; i++)
        {
            x[i] *= i % 7 == 0 ? 1000 : 2;
        }

        double[] z = flow.Forward(x);
        foreach (double tolerance in new[] { 1e-2, 1e-5, 1e-9 })
        {
            InverseReport report = flow.Inverse(z, tolerance);
            Assert.All(report.Iterations.Zip(report.ErrorBounds), pair => Assert.True(pair.First > 0 || pair.Second == 0));
            for (int row = 0; row < 50; row++)
            {
                double error = Distance(x, report.Points, row, width);
                Assert.True(
                    error <= report.ErrorBounds[row] + (1e-10 * (1 + Math.Abs(x.Max()))),
                    $"tolerance {tolerance}, row {row}: error {error:G4}, bound {report.ErrorBounds[row]:G4}");
            }
        }
    }

    internal static (double[] Z, double[] LogDet) Pass(Flow flow, LogDetEstimator estimator, double[] x)
    {
        var workspace = new Workspace(flow.Backend);
        FlowPass pass = flow.CreatePass(estimator);
        pass.Forward(Tensor(x.Length / flow.Width, flow.Width, x), new DrawAddress(0, 0, 0, 0), workspace);
        return (pass.Output.Read(), pass.LogDet.Read());
    }

    internal static double Distance(double[] a, double[] b, int row, int width) =>
        Math.Sqrt(Enumerable.Range(row * width, width).Sum(i => (a[i] - b[i]) * (a[i] - b[i])));

    internal static void CheckGradients(Flow flow, double[] x, LogDetEstimator estimator)
    {
        var random = new Random(14);
        int width = flow.Width, rows = x.Length / width;
        double[] gz = Normal(random, x.Length), gl = Normal(random, rows);
        double Loss(double[] at)
        {
            (double[] z, double[] logDet) = Pass(flow, estimator, at);
            return Dot(gz, z) + Dot(gl, logDet);
        }

        var workspace = new Workspace(flow.Backend);
        FlowPass pass = flow.CreatePass(estimator);
        pass.Forward(Tensor(rows, width, x), new DrawAddress(0, 0, 0, 0), workspace);
        Tensor gradient = flow.Backend.Allocate(1, flow.Trained.Values.Columns), xGradient = NaNs(rows, width);
        pass.Backward(Tensor(rows, width, gz), Tensor(rows, 1, gl), xGradient, gradient, workspace);
        flow.PullBack(gradient);
        CloseToDifferences(Gradient(Loss, x), xGradient.Read());
        foreach (Parameter parameter in flow.Trained.Parameters)
        {
            double[] original = parameter.Value.Read();
            double[] expected = Gradient(
                values =>
                {
                    flow.Backend.Upload(values, parameter.Value);
                    flow.Prepare();
                    return Loss(x);
                },
                original);
            flow.Backend.Upload(original, parameter.Value);
            flow.Prepare();
            CloseToDifferences(expected, parameter.In(gradient).Read());
        }
    }
}
