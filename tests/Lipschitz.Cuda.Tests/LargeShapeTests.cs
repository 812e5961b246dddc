using Lipschitz.Backends;
using Lipschitz.Cpu.Tests;

namespace Lipschitz.Cuda.Tests;

/// <summary>
/// Shapes larger than those of <see cref="KernelConformance"/>: sums that take two passes, and matrices of more elements than a grid has threads.
/// </summary>
public class LargeShapeTests
{
    [Theory]
    [InlineData(70_000, 3)]
    [InlineData(9_000, 70)]
    [InlineData(40_000, 1)]
    [InlineData(2, 70_000)]
    [InlineData(1, 300_000)]
    [InlineData(600, 5_000)]
    public void Sums_in_two_passes_equal_the_reference(int rows, int columns)
    {
        using var bench = new Bench("cuda", 1);
        bench.Begin($"[{rows}, {columns}]");
        Twin x = bench.In(rows, columns);
        Twin y = bench.In(rows, columns, bench.Normal(rows * columns, 1, 3));
        Twin sums = bench.InOut(1, columns);
        Twin mean = bench.Out(1, columns);
        Twin variance = bench.Out(1, columns);
        Twin dots = bench.InOut(rows, 1);
        Twin norm = bench.Out(1, 1);
        bench.Run((b, t) =>
        {
            b.ColumnSums(t(x), -0.5, t(sums));
            b.ColumnMoments(t(y), t(mean), t(variance));
            b.RowDots(0.3, t(x), t(y), 2, t(dots));
            b.Norm(t(x), t(norm));
        });
        bench.Check(sums, "sums", (_, j) => Tolerance.Sum(bench.Unit, rows, rows + Math.Abs(sums[0, j])));
        bench.Check(mean, "mean", Tolerance.Sum(bench.Unit, rows, 8));
        bench.Check(variance, "variance", Tolerance.Sum(bench.Unit, rows, 4));
        bench.Check(dots, "dots", (i, _) => Tolerance.Sum(bench.Unit, columns, columns + (2 * Math.Abs(dots[i, 0]))));
        bench.CheckExact(norm, "norm");
        bench.End();
    }

    [Theory]
    [InlineData(70_000, 1, 3)]
    [InlineData(300, 100, 12)]
    [InlineData(3, 2, 20_000)]
    public void Gradients_of_ActNorm_over_many_rows_equal_the_reference(int samples, int rowsPerSample, int columns)
    {
        using var bench = new Bench("cuda", 2);
        int rows = samples * rowsPerSample;
        bench.Begin($"[{rows}, {columns}]");
        Twin y = bench.In(rows, columns);
        Twin logScale = bench.In(1, columns, bench.Normal(columns, 0.1));
        Twin yGradient = bench.In(rows, columns);
        Twin logDetGradient = bench.In(samples, 1);
        Twin xGradient = bench.Out(rows, columns);
        Twin shiftGradient = bench.InOut(1, columns);
        Twin logScaleGradient = bench.InOut(1, columns);
        bench.Run((b, t) => b.ActNormBackward(
            t(y), t(logScale), rowsPerSample, t(yGradient), t(logDetGradient), t(xGradient), t(shiftGradient), t(logScaleGradient)));
        bench.Check(xGradient, "xGradient", (i, j) => Tolerance.Transcendental(bench.Unit, 2 * Math.Abs(yGradient[i, j])));
        bench.Check(shiftGradient, "shiftGradient", Tolerance.Sum(bench.Unit, rows, 2 * rows));
        bench.Check(logScaleGradient, "logScaleGradient", Tolerance.Sum(bench.Unit, rows, 2 * rows));
        bench.End();
    }

    [Theory]
    [InlineData(1, 4_300_000)] // four numbers a thread where the memory lies so
    [InlineData(1_100_000, 1)]
    [InlineData(1_000, 1_030)]
    public void Matrices_larger_than_a_grid_equal_the_reference(int rows, int columns)
    {
        using var bench = new Bench("cuda", 3);
        bench.Begin($"[{rows}, {columns}]");
        Twin row = bench.In(1, columns);
        Twin x = bench.In(rows, columns);
        Twin y = bench.InOut(rows, columns);
        Twin z = bench.Out(rows, columns);
        bench.Run((b, t) =>
        {
            b.Copy(t(x), t(z));
            b.AddRow(t(row), t(z));
            b.Axpby(0.3, t(x), -0.7, t(y));
        });
        bench.CheckExact(z, "z");
        bench.Check(y, "y", (i, j) => Tolerance.Arithmetic(bench.Unit, Math.Abs(x[i, j]) + Math.Abs(y[i, j])));
        bench.End();

        double[] last = new double[rows * columns];
        last[^1] = double.NaN;
        Assert.True(bench.Subject.AllFinite(x.Subject));
        Assert.False(bench.Subject.AllFinite(bench.In(rows, columns, last).Subject));
    }

    [Theory]
    [InlineData(Activation.LeakyLSwish)]
    [InlineData(Activation.CLipSwish)]
    [InlineData(Activation.MaxMin)]
    public void Gradients_of_activations_over_many_blocks_equal_the_reference(Activation f)
    {
        const int ValueRows = 1_000, N = 1_030;
        using var bench = new Bench("cuda", 4);
        int width = f.OutputColumns(N);
        bench.Begin($"{f}, {ValueRows} value rows of {N} columns and a tangent");
        Twin theta = bench.In(1, f.ParameterCount(), f.InitialParameters());
        Twin pre = bench.In(2 * ValueRows, N);
        Twin gradient = bench.In(2 * ValueRows, width);
        Twin y = bench.Out(2 * ValueRows, width);
        Twin preGradient = bench.Out(2 * ValueRows, N);
        Twin parameterGradient = bench.InOut(1, f.ParameterCount());
        bench.Run((b, t) =>
        {
            b.Activate(f, t(theta), t(pre), ValueRows, t(y));
            b.ActivationBackward(f, t(theta), t(pre), ValueRows, t(gradient), t(preGradient), t(parameterGradient));
        });
        bench.Check(y, "y", (i, j) => Tolerance.Transcendental(bench.Unit, 1 + Math.Abs(pre[i, j % N])));
        bench.Check(preGradient, "preGradient", Tolerance.Transcendental(bench.Unit, 20)); // normal numbers, and products of two
        bench.Check(parameterGradient, "parameterGradient", Tolerance.Sum(bench.Unit, ValueRows * N, 4 * ValueRows * N));
        bench.End();
    }

    [Fact]
    public void More_samples_than_threads_have_Jacobians_equal_to_the_reference()
    {
        const int Samples = 70_000, D = 2;
        using var bench = new Bench("cuda", 5);
        bench.Begin($"{Samples} samples");
        double[] values = [1, -0.5, 1.0 / 3];
        Twin probe = bench.In(Samples, D);
        Twin images = bench.In(D * Samples, D, bench.Normal(D * Samples * D, 0.05));
        Twin tangents = bench.Out(D * Samples, D);
        Twin small = bench.In(Samples, D * D, bench.Normal(Samples * D * D, 0.05));
        Twin jacobians = bench.Out(Samples, D * D);
        Twin logDet = bench.Out(Samples, 1);
        Twin cotangents = bench.Out(D * Samples, D);
        Twin series = bench.Out(Samples, 1);
        Twin cotangent = bench.Out(Samples, D);
        bench.Run((b, t) =>
        {
            b.CompleteBasis(t(probe), t(tangents));
            b.SolveJacobians(t(tangents), t(images), t(jacobians));
            b.ExactLogDet(t(small), t(logDet), t(cotangents));
            b.SeriesLogDet(t(small), t(probe), values, values, t(series), t(cotangent));
        });
        double[] expected = Bench.Read(bench.Reference, jacobians.Reference);
        bench.Check(tangents, "tangents", 0);
        bench.Check(jacobians, "jacobians", (i, j) => Tolerance.Solve(bench.Unit, D, 1 + Math.Abs(expected[(i * D * D) + j])));
        bench.Check(logDet, "logDet", Tolerance.Solve(bench.Unit, D, 1));
        bench.Check(cotangents, "cotangents", Tolerance.Solve(bench.Unit, D, 2.5));
        double Square(int i) => (probe[i, 0] * probe[i, 0]) + (probe[i, 1] * probe[i, 1]);
        bench.Check(series, "series", (i, _) => Tolerance.Solve(bench.Unit, D, Square(i)));
        bench.Check(cotangent, "cotangent", (i, _) => Tolerance.Solve(bench.Unit, D, 3 * Math.Sqrt(Square(i))));
        bench.End();
    }
}
