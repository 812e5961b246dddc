using Lipschitz.Backends;

namespace Lipschitz.Cpu.Tests;

/// <content>The activations.</content>
public partial class KernelConformance
{
    [Theory]
    [MemberData(nameof(BackendsAndActivations))]
    public void Activate_equals_the_reference(string backend, Activation f)
    {
        using var bench = new Bench(backend, 20);
        ForEachStack(bench, f, (valueRows, tangents, n) =>
        {
            int rows = valueRows * (1 + tangents);
            Twin theta = Parameters(bench, f);
            double[] values = Pre(bench, f, valueRows, tangents, n);
            bool inPlace = f.IsElementwise() && tangents == 0 && bench.Random.Next(2) == 0;
            Twin pre = inPlace ? bench.InOut(rows, n, values) : bench.In(rows, n, values);
            Twin y = inPlace ? pre : bench.Out(rows, f.OutputColumns(n));
            bench.Run((b, t) => b.Activate(f, t(theta), t(pre), valueRows, t(y)));
            bench.Check(y, inPlace ? "y in place" : "y", ActivateTolerance(bench, f, y, values, n, valueRows));
        });
    }

    [Theory]
    [MemberData(nameof(BackendsAndActivations))]
    public void Slopes_equal_the_reference(string backend, Activation f)
    {
        using var bench = new Bench(backend, 21);
        ForEachStack(bench, f, (rows, _, n) =>
        {
            Twin theta = Parameters(bench, f);
            Twin pre = bench.In(rows, n, Pre(bench, f, rows, 0, n));
            Twin slopes = bench.Out(rows, f.SlopeColumns(n));
            bench.Run((b, t) => b.ActivationSlopes(f, t(theta), t(pre), t(slopes)));
            bench.Check(slopes, "slopes", f == Activation.MaxMin ? 0 : Tolerance.Transcendental(bench.Unit, 1));
        });
    }

    [Theory]
    [MemberData(nameof(BackendsAndActivations))]
    public void Slope_products_equal_the_reference(string backend, Activation f)
    {
        using var bench = new Bench(backend, 22);
        ForEachStack(bench, f, (rows, blocks, n) =>
        {
            Twin slopes = Slopes(bench, f, rows, n);
            Twin w = bench.In(rows * blocks, f.OutputColumns(n));
            Twin t0 = bench.In(rows * blocks, n);
            Twin back = bench.Out(rows * blocks, n);
            Twin forward = bench.Out(rows * blocks, f.OutputColumns(n));
            bench.Run((b, t) =>
            {
                b.SlopeVjp(f, t(slopes), t(w), t(back));
                b.SlopeJvp(f, t(slopes), t(t0), t(forward));
            });
            bench.Check(back, "Vjp", (i, j) => Tolerance.Arithmetic(
                bench.Unit, Math.Abs(w[i, j]) + (f == Activation.CLipSwish ? Math.Abs(w[i, n + j]) : 0)));
            bench.Check(forward, "Jvp", (i, j) => Tolerance.Arithmetic(bench.Unit, n == 0 ? 0 : Math.Abs(t0[i, j % n])));
            if (f.IsElementwise())
            {
                Twin inPlace = bench.InOut(rows * blocks, n, w.Values);
                bench.Run((b, t) => b.SlopeVjp(f, t(slopes), t(inPlace), t(inPlace)));
                bench.Check(inPlace, "Vjp in place", (i, j) => Tolerance.Arithmetic(bench.Unit, Math.Abs(w[i, j])));
            }
        });
    }

    [Theory]
    [MemberData(nameof(BackendsAndActivations))]
    public void ActivationBackward_equals_the_reference(string backend, Activation f)
    {
        using var bench = new Bench(backend, 23);
        ForEachStack(bench, f, (valueRows, tangents, n) =>
        {
            int rows = valueRows * (1 + tangents);
            int width = f.OutputColumns(n);
            Twin theta = Parameters(bench, f);
            double[] values = Pre(bench, f, valueRows, tangents, n);
            Twin pre = bench.In(rows, n, values);
            double[] g = bench.Normal(rows * width);
            bool inPlace = f.IsElementwise() && bench.Random.Next(2) == 0;
            Twin gradient = inPlace ? bench.InOut(rows, width, g) : bench.In(rows, width, g);
            Twin preGradient = inPlace ? gradient : bench.Out(rows, n);
            Twin parameterGradient = bench.InOut(1, f.ParameterCount());
            bench.Run((b, t) => b.ActivationBackward(
                f, t(theta), t(pre), valueRows, t(gradient), t(preGradient), t(parameterGradient)));

            // |f''| <= 2 + s, with s <= 6 for the parameters below.
            double G(int i, int j) => Math.Abs(g[(i * width) + j]) + (f == Activation.CLipSwish ? Math.Abs(g[(i * width) + n + j]) : 0);
            double Value(int i, int j) => G(i, j) + Enumerable.Range(1, tangents).Sum(t => 8 * Bent(i, j, t));
            double Bent(int i, int j, int t) => Math.Abs(values[((i + (t * valueRows)) * n) + j]) * G(i + (t * valueRows), j);
            bench.Check(
                preGradient, inPlace ? "preGradient in place" : "preGradient",
                (i, j) => f == Activation.MaxMin ? 0 : Tolerance.Transcendental(bench.Unit, i < valueRows ? Value(i, j) : G(i, j)));
            double magnitude = parameterGradient.Values.Sum(Math.Abs);
            for (int i = 0; i < valueRows; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    magnitude += (1 + Math.Abs(values[(i * n) + j])) * G(i, j);
                    for (int t = 1; t <= tangents; t++)
                    {
                        magnitude += Bent(i, j, t);
                    }
                }
            }

            bench.Check(parameterGradient, "parameterGradient", Tolerance.Sum(bench.Unit, rows * n, 2 * magnitude));
        });
    }

    private static void ForEachStack(Bench bench, Activation f, Action<int, int, int> body)
    {
        foreach (int columns in Enumerable.Range(0, 71).Concat([99, 128, 199]))
        {
            int n = f == Activation.MaxMin ? 2 * columns : columns;
            Case(bench.Pick(0, 1, 2, 3, 5), bench.Pick(0, 1, 2), n);
            Case(bench.Pick(1, 2, 3), bench.Pick(0, 1, 2), n);
        }

        foreach (int rows in (int[])[16, 17, 64, 127, 200])
        {
            Case(rows, bench.Pick(0, 1, 2), bench.Pick(2, 4, 6, 8, 14, 16));
        }

        void Case(int valueRows, int tangents, int n)
        {
            bench.Begin($"{f}, {valueRows} value rows, {tangents} tangents, {n} columns");
            body(valueRows, tangents, n);
            bench.End();
        }
    }

    /// <summary>Raw parameters between -3 and 6.</summary>
    private static Twin Parameters(Bench bench, Activation f) => bench.In(
        1, f.ParameterCount(), [.. f.InitialParameters().Select(_ => bench.Round(-3 + (9 * bench.Random.NextDouble())))]);

    /// <summary>Normal numbers with kinks, ties, tiny and large numbers among the value rows.</summary>
    private static double[] Pre(Bench bench, Activation f, int valueRows, int tangents, int n)
    {
        double[] values = bench.Normal(valueRows * (1 + tangents) * n, 2);
        for (int i = 0; i < valueRows * n; i++)
        {
            if (bench.Random.Next(6) == 0)
            {
                values[i] = bench.Round(bench.Pick(0, -0.0, 1, -1, 1e-20, -1e-20, 1e-4, -1e-4, 30, -30, 100, -100, 1000, -1000));
            }

            if (f == Activation.MaxMin && i % 2 == 1 && bench.Random.Next(6) == 0)
            {
                values[i] = values[i - 1];
            }
        }

        return values;
    }

    /// <summary>Random slopes of the form that <see cref="IBackend.ActivationSlopes"/> writes.</summary>
    private static Twin Slopes(Bench bench, Activation f, int rows, int n)
    {
        double[] slopes = new double[rows * f.SlopeColumns(n)];
        for (int i = 0; i < slopes.Length; i++)
        {
            slopes[i] = f == Activation.MaxMin ? bench.Random.Next(2) : bench.Round((1.2 * bench.Random.NextDouble()) - 0.2);
        }

        return bench.In(rows, f.SlopeColumns(n), slopes);
    }

    private static Func<int, int, double> ActivateTolerance(Bench bench, Activation f, Twin y, double[] pre, int n, int valueRows)
    {
        double[] expected = Bench.Read(bench.Reference, y.Reference);
        return (i, j) => f switch
        {
            Activation.MaxMin => 0,
            _ when i < valueRows => Tolerance.Transcendental(bench.Unit, 1 + Math.Abs(expected[(i * y.Columns) + j])),
            _ => Tolerance.Transcendental(bench.Unit, Math.Abs(pre[(i * n) + (j % n)])),
        };
    }
}
