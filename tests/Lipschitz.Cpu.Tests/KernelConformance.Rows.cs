using Lipschitz.Backends;

namespace Lipschitz.Cpu.Tests;

/// <content>Rows, columns and sums; ActNorm; the optimiser.</content>
public partial class KernelConformance
{
    [Theory]
    [MemberData(nameof(Backends))]
    public void AddRow_equals_the_reference(string backend)
    {
        using var bench = new Bench(backend, 30);
        ForEachShape(bench, (rows, columns) =>
        {
            Twin row = bench.In(1, columns);
            Twin y = bench.InOut(rows, columns);
            bench.Run((b, t) => b.AddRow(t(row), t(y)));
            bench.CheckExact(y, "y");
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void ColumnSums_equals_the_reference(string backend)
    {
        using var bench = new Bench(backend, 31);
        ForEachShape(bench, (rows, columns) =>
        {
            double beta = bench.Pick(0, 1, -0.5);
            Twin x = bench.In(rows, columns);
            Twin sums = beta == 0 ? bench.Out(1, columns) : bench.InOut(1, columns);
            bench.Run((b, t) => b.ColumnSums(t(x), beta, t(sums)));
            bench.Check(sums, "sums", (_, j) => Tolerance.Sum(
                bench.Unit, rows, Enumerable.Range(0, rows).Sum(i => Math.Abs(x[i, j])) + (beta == 0 ? 0 : Math.Abs(beta * sums[0, j]))));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void ColumnMoments_equals_the_reference(string backend)
    {
        using var bench = new Bench(backend, 32);
        ForEachShape(bench, (rows, columns) =>
        {
            if (rows == 0)
            {
                return; // the moments of nothing are not specified
            }

            Twin x = bench.In(rows, columns, bench.Normal(rows * columns, 1, 3));
            Twin mean = bench.Out(1, columns);
            Twin variance = bench.Out(1, columns);
            bench.Run((b, t) => b.ColumnMoments(t(x), t(mean), t(variance)));
            double[] expected = Bench.Read(bench.Reference, variance.Reference);
            double largest = x.Values.Select(Math.Abs).DefaultIfEmpty().Max();
            bench.Check(mean, "mean", Tolerance.Sum(bench.Unit, rows, largest));
            double lost = Tolerance.Sum(bench.Unit, rows, largest); // of the mean: the variance changes by its square
            bench.Check(variance, "variance", (_, j) => Tolerance.Sum(bench.Unit, rows, expected[j]) + (lost * lost));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void RowDots_equals_the_reference(string backend)
    {
        using var bench = new Bench(backend, 33);
        ForEachShape(bench, (rows, columns) =>
        {
            double beta = bench.Pick(0, 1, -0.5);
            double alpha = bench.Pick(1, -1, 0.3);
            Twin x = bench.In(rows, columns);
            Twin y = bench.Random.Next(3) == 0 ? x : bench.In(rows, columns);
            Twin dots = beta == 0 ? bench.Out(rows, 1) : bench.InOut(rows, 1);
            bench.Run((b, t) => b.RowDots(alpha, t(x), t(y), beta, t(dots)));
            bench.Check(dots, "dots", (i, _) => Tolerance.Sum(
                bench.Unit, columns,
                Math.Abs(alpha) * Enumerable.Range(0, columns).Sum(j => Math.Abs(x[i, j] * y[i, j])) +
                (beta == 0 ? 0 : Math.Abs(beta * dots[i, 0]))));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void ScaleRows_equals_the_reference(string backend)
    {
        using var bench = new Bench(backend, 34);
        ForEachShape(bench, (rows, columns) =>
        {
            int blocks = bench.Pick(0, 1, 2, 3);
            Twin factors = bench.In(rows, 1);
            bool inPlace = bench.Random.Next(2) == 0;
            double[] values = bench.Normal(blocks * rows * columns);
            Twin x = inPlace ? bench.InOut(blocks * rows, columns, values) : bench.In(blocks * rows, columns, values);
            Twin y = inPlace ? x : bench.Out(blocks * rows, columns);
            bench.Run((b, t) => b.ScaleRows(t(factors), t(x), t(y)));
            bench.CheckExact(y, "y");
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Axpby_equals_the_reference(string backend)
    {
        using var bench = new Bench(backend, 35);
        ForEachShape(bench, (rows, columns) =>
        {
            double alpha = bench.Pick(0, 1, -1, 0.3);
            double beta = bench.Pick(0, 0, 1, -0.7);
            Twin x = bench.In(rows, columns);
            Twin y = beta == 0 ? bench.Out(rows, columns) : bench.InOut(rows, columns);
            bench.Run((b, t) => b.Axpby(alpha, t(x), beta, t(y)));
            bench.Check(y, "y", (i, j) => Tolerance.Arithmetic(
                bench.Unit, Math.Abs(alpha * x[i, j]) + (beta == 0 ? 0 : Math.Abs(beta * y[i, j]))));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void AllFinite_finds_one_bad_number_anywhere_and_looks_nowhere_else(string backend)
    {
        using var bench = new Bench(backend, 36);
        ForEachShape(bench, (rows, columns) =>
        {
            Assert.True(bench.Subject.AllFinite(bench.In(rows, columns).Subject)); // NaN around the view
            if (rows * columns > 0)
            {
                double[] values = bench.Normal(rows * columns);
                values[bench.Random.Next(values.Length)] = bench.Pick(double.NaN, double.PositiveInfinity, double.NegativeInfinity);
                Assert.False(bench.Subject.AllFinite(bench.InOut(rows, columns, values).Subject));
                values = bench.Normal(rows * columns);
                values[^1] = double.NaN;
                Assert.False(bench.Subject.AllFinite(bench.InOut(rows, columns, values).Subject));
            }
        });
        Assert.True(bench.Subject.AllFinite(bench.In(1, 20, [.. Enumerable.Repeat<double>(float.MaxValue, 20)]).Subject));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void ActNorm_equals_the_reference_forwards_and_inverted(string backend)
    {
        using var bench = new Bench(backend, 37);
        ForEachShape(bench, (samples, columns) =>
        {
            int rowsPerSample = bench.Pick(1, 1, 2, 5);
            Twin x = bench.In(samples * rowsPerSample, columns);
            Twin shift = bench.In(1, columns);
            Twin logScale = bench.In(1, columns);
            Twin y = bench.Out(samples * rowsPerSample, columns);
            Twin logDet = bench.InOut(samples, 1);
            bool inPlace = bench.Random.Next(2) == 0;
            double[] values = bench.Normal(samples * rowsPerSample * columns);
            Twin output = inPlace ? bench.InOut(x.Rows, columns, values) : bench.In(x.Rows, columns, values);
            Twin input = inPlace ? output : bench.Out(x.Rows, columns);
            bench.Run((b, t) =>
            {
                b.ActNormForward(t(x), t(shift), t(logScale), rowsPerSample, t(y), t(logDet));
                b.ActNormInverse(t(output), t(shift), t(logScale), t(input));
            });
            bench.Check(y, "y", (i, j) => Tolerance.Transcendental(
                bench.Unit, (Math.Abs(x[i, j]) + Math.Abs(shift[0, j])) * Math.Exp(logScale[0, j])));
            bench.Check(logDet, "logDet", (i, _) => Tolerance.Sum(
                bench.Unit, columns, Math.Abs(logDet[i, 0]) + (rowsPerSample * logScale.Values.Sum(Math.Abs))));
            bench.Check(input, inPlace ? "x in place" : "x", (i, j) => Tolerance.Transcendental(
                bench.Unit, (Math.Abs(output[i, j]) * Math.Exp(-logScale[0, j])) + Math.Abs(shift[0, j])));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void ActNormBackward_equals_the_reference(string backend)
    {
        using var bench = new Bench(backend, 38);
        ForEachShape(bench, (samples, columns) =>
        {
            int rowsPerSample = bench.Pick(1, 1, 2, 5);
            int rows = samples * rowsPerSample;
            Twin y = bench.In(rows, columns);
            Twin logScale = bench.In(1, columns);
            double[] g = bench.Normal(rows * columns);
            bool inPlace = bench.Random.Next(2) == 0;
            Twin yGradient = inPlace ? bench.InOut(rows, columns, g) : bench.In(rows, columns, g);
            Twin xGradient = inPlace ? yGradient : bench.Out(rows, columns);
            Twin logDetGradient = bench.In(samples, 1);
            Twin shiftGradient = bench.InOut(1, columns);
            Twin logScaleGradient = bench.InOut(1, columns);
            bench.Run((b, t) => b.ActNormBackward(
                t(y), t(logScale), rowsPerSample, t(yGradient), t(logDetGradient), t(xGradient), t(shiftGradient), t(logScaleGradient)));
            double Scale(int j) => Math.Exp(logScale[0, j]);
            double Down(Func<int, double> f) => Enumerable.Range(0, rows).Sum(i => Math.Abs(f(i)));
            bench.Check(
                xGradient, "xGradient", (i, j) => Tolerance.Transcendental(bench.Unit, Math.Abs(g[(i * columns) + j]) * Scale(j)));
            bench.Check(shiftGradient, "shiftGradient", (_, j) => 2 * Tolerance.Sum(
                bench.Unit, rows, Math.Abs(shiftGradient[0, j]) + (Scale(j) * Down(i => g[(i * columns) + j]))));
            bench.Check(logScaleGradient, "logScaleGradient", (_, j) => Tolerance.Sum(
                bench.Unit, rows + samples,
                Math.Abs(logScaleGradient[0, j]) + Down(i => g[(i * columns) + j] * y[i, j]) +
                (rowsPerSample * logDetGradient.Values.Sum(Math.Abs))));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Norm_is_summed_in_double(string backend)
    {
        using var bench = new Bench(backend, 39);
        ForEachShape(bench, (rows, columns) => Check(rows, columns, 1));
        bench.Begin("a long vector");
        Check(1, 100_000, 1);
        bench.Begin("squares beyond the range of float32");
        Check(1, 50, 1e25);
        bench.Begin("squares below the range of float32");
        Check(1, 50, 1e-25);

        void Check(int rows, int columns, double scale)
        {
            Twin x = bench.In(rows, columns, bench.Normal(rows * columns, scale));
            Twin norm = bench.Out(1, 1);
            bench.Run((b, t) => b.Norm(t(x), t(norm)));
            double expected = Bench.Read(bench.Reference, norm.Reference)[0];
            double allowed = bench.Subject.Precision == Tensors.Precision.Float32
                ? Tolerance.Arithmetic(bench.Unit, expected)
                : Tolerance.Sum(bench.Unit, rows * columns, expected);
            bench.Check(norm, "norm", allowed);
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Adam_equals_the_reference(string backend)
    {
        using var bench = new Bench(backend, 40);
        foreach (bool hasAverage in new[] { true, false })
            foreach (int n in Enumerable.Range(0, 71).Concat([199, 1000]))
            {
                double clip = bench.Pick(double.PositiveInfinity, 100, 0.5);
                var step = new AdamStep(bench.Pick<long>(1, 2, 3, 1000), 0.01, 0.9, 0.99, 1e-8, hasAverage ? 0.999 : 0);
                bench.Begin($"{n} parameters, clip {clip}, step {step.Step}, average: {hasAverage}");
                Twin parameters = bench.InOut(1, n);
                Twin gradient = bench.In(1, n);
                Twin first = bench.InOut(1, n);
                Twin second = bench.InOut(1, n, [.. bench.Normal(n).Select(x => Math.Abs(x) + 1)]);
                Twin average = hasAverage ? bench.InOut(1, n) : parameters; // without one it may be the parameters themselves
                Twin norm = double.IsInfinity(clip) ? bench.Out(1, 1) : bench.In(1, 1, [bench.Round(Math.Sqrt(n))]);
                bench.Run((b, t) => b.Adam(t(parameters), t(gradient), t(first), t(second), t(average), t(norm), clip, step));
                double Gradient(int j) => Math.Abs(gradient[0, j]);
                bench.Check(first, "firstMoment", (_, j) => Tolerance.Arithmetic(bench.Unit, Math.Abs(first[0, j]) + Gradient(j)));
                bench.Check(
                    second, "secondMoment", (_, j) => Tolerance.Arithmetic(bench.Unit, second[0, j] + (Gradient(j) * Gradient(j))));

                // The step is at most 0.01 times ten corrected moments over the root of at least 0.99.
                double Step(int j) => 0.1 * (Math.Abs(first[0, j]) + Gradient(j));
                bench.Check(
                    parameters, "parameters", (_, j) => Tolerance.Transcendental(bench.Unit, Math.Abs(parameters[0, j]) + Step(j)));
                if (!hasAverage)
                {
                    bench.End();
                    continue;
                }

                bench.Check(average, "average", (_, j) => Tolerance.Transcendental(
                    bench.Unit, Math.Abs(average[0, j]) + (0.001 * (Math.Abs(parameters[0, j]) + Step(j)))));
                bench.End();
            }
    }
}
