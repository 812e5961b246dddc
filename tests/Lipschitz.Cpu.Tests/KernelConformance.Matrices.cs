using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <content>Small Jacobians; weights.</content>
public partial class KernelConformance
{
    private static readonly int[] Dimensions = [1, 2, 3, 4, 5, 8];

    private static readonly int[] SampleCounts = [0, 1, 2, 3, 7, 16, 33, 70];

    private static readonly (int M, int N)[] WeightShapes =
        [(1, 1), (1, 7), (7, 1), (2, 3), (3, 2), (16, 16), (17, 33), (33, 17), (48, 131), (131, 48), (64, 200)];

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_completed_basis_equals_the_reference_also_where_components_tie(string backend)
    {
        using var bench = new Bench(backend, 50);
        ForEachSmall(bench, (samples, d) =>
        {
            double[] signs = [.. Enumerable.Range(0, samples * d).Select(_ => bench.Pick(1.0, -1.0))];
            Twin probe = bench.In(samples, d, bench.Random.Next(2) == 0 ? signs : null);
            Twin tangents = bench.Out(d * samples, d);
            bench.Run((b, t) => b.CompleteBasis(t(probe), t(tangents)));
            bench.Check(tangents, "tangents", 0);
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Solved_Jacobians_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 51);
        ForEachSmall(bench, (samples, d) =>
        {
            Twin tangents = bench.In(d * samples, d, bench.Random.Next(2) == 0 ? Basis(bench, samples, d) : Shuffled(bench, samples, d));
            Twin images = bench.In(d * samples, d);
            Twin jacobians = bench.Out(samples, d * d);
            bench.Run((b, t) => b.SolveJacobians(t(tangents), t(images), t(jacobians)));
            double[] expected = Bench.Read(bench.Reference, jacobians.Reference);
            bench.Check(jacobians, "jacobians", (i, _) => Tolerance.Solve(
                bench.Unit, d, 1 + expected[(i * d * d)..((i + 1) * d * d)].Max(Math.Abs)));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Exact_log_determinants_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 52);
        ForEachSmall(bench, (samples, d) =>
        {
            Twin jacobians = bench.In(samples, d * d, SmallJacobians(bench, samples, d, mirrored: true));
            Twin logDet = bench.Out(samples, 1);
            Twin cotangents = bench.Out(d * samples, d);
            bench.Run((b, t) => b.ExactLogDet(t(jacobians), t(logDet), t(cotangents)));
            double[] expected = Bench.Read(bench.Reference, logDet.Reference);
            bench.Check(logDet, "logDet", Tolerance.Solve(bench.Unit, d, 1));

            // The norm of the inverse is at most 1 / (1 - 0.6); without a log-determinant the cotangents are not specified.
            bench.Check(cotangents, "cotangents", (i, _) =>
                double.IsNaN(expected[i % samples]) ? double.PositiveInfinity : Tolerance.Solve(bench.Unit, d, 2.5));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Exact_log_determinants_exchange_rows_where_they_must(string backend)
    {
        using var bench = new Bench(backend, 53);
        bench.Begin("I + J = [0 1; -1 0] and a cyclic permutation");
        Twin quarter = bench.In(1, 4, [-1, 1, -1, -1]);
        Twin cycle = bench.In(1, 9, [-1, 2, 0, 0, -1, 2, 2, 0, -1]);
        Twin[] logDets = [bench.Out(1, 1), bench.Out(1, 1)];
        Twin[] cotangents = [bench.Out(2, 2), bench.Out(3, 3)];
        bench.Run((b, t) =>
        {
            b.ExactLogDet(t(quarter), t(logDets[0]), t(cotangents[0]));
            b.ExactLogDet(t(cycle), t(logDets[1]), t(cotangents[1]));
        });
        bench.Check(logDets[0], "logDet", Tolerance.Arithmetic(bench.Unit, 1));
        bench.Check(logDets[1], "logDet", Tolerance.Arithmetic(bench.Unit, 3));
        bench.Check(cotangents[0], "cotangents", Tolerance.Arithmetic(bench.Unit, 1));
        bench.Check(cotangents[1], "cotangents", Tolerance.Arithmetic(bench.Unit, 1));
        bench.End();
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Series_of_Jacobians_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 54);
        ForEachSmall(bench, (samples, d) =>
        {
            int terms = bench.Pick(0, 1, 2, 3, 10, 40);
            double[] values = [.. Enumerable.Range(1, terms).Select(k => (k % 2 == 1 ? 1.0 : -1.0) / k)];
            double[] weights = bench.Normal(terms);
            Twin jacobians = bench.In(samples, d * d, SmallJacobians(bench, samples, d, mirrored: false));
            Twin probe = bench.In(samples, d);
            Twin logDet = bench.Out(samples, 1);
            Twin cotangent = bench.Out(samples, d);
            bench.Run((b, t) => b.SeriesLogDet(t(jacobians), t(probe), values, weights, t(logDet), t(cotangent)));
            double Square(int i) => Enumerable.Range(0, d).Sum(j => probe[i, j] * probe[i, j]);
            bench.Check(logDet, "logDet", (i, _) => Tolerance.Solve(bench.Unit, d, Square(i)));
            bench.Check(cotangent, "cotangent", (i, _) => Tolerance.Solve(bench.Unit, d, 3 * Math.Sqrt(Square(i))));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Power_iterates_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 55);
        foreach ((int m, int n) in WeightShapes)
        {
            foreach (int iterations in (int[])[0, 1, 2, 5])
            {
                bench.Begin($"[{m}, {n}], {iterations} iterations");
                Twin w = bench.In(m, n);
                Twin u = bench.InOut(1, m, Unit(bench, m));
                Twin v = bench.InOut(1, n, Unit(bench, n));
                Twin sigma = bench.Out(1, 1);
                bench.Run((b, t) => b.PowerIterate(t(w), iterations, 0, t(u), t(v), t(sigma)));
                double size = Math.Sqrt(w.Values.Sum(x => x * x));
                bench.Check(sigma, "sigma", Tolerance.Iteration(bench.Unit, m + n, size));
                bench.Check(u, "u", iterations == 0 ? 0 : Tolerance.Iteration(bench.Unit, m + n, 1));
                bench.Check(v, "v", iterations == 0 ? 0 : Tolerance.Iteration(bench.Unit, m + n, 1));
                bench.End();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Power_iteration_stops_early_when_the_estimate_settles(string backend)
    {
        using var bench = new Bench(backend, 56);
        bench.Begin("diagonal 4, 2, 1, ...");
        Twin w = bench.In(9, 9, [.. Enumerable.Range(0, 81).Select(i => i / 9 == i % 9 ? Math.ScaleB(4, -(i / 9)) : 0.0)]);
        Twin u = bench.InOut(1, 9, [.. Enumerable.Repeat(bench.Round(1 / 3.0), 9)]);
        Twin v = bench.InOut(1, 9, [.. Enumerable.Repeat(bench.Round(1 / 3.0), 9)]);
        Twin sigma = bench.Out(1, 1);
        bench.Run((b, t) => b.PowerIterate(t(w), 500, 1e-3, t(u), t(v), t(sigma)));
        bench.Check(sigma, "sigma", Tolerance.Iteration(bench.Unit, 18, 4));
        RequireEarlyStop(bench, u, v, 18, second: 1, period: 9);
        bench.End();
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Power_iteration_of_zero_gives_zero_and_leaves_the_vectors(string backend)
    {
        using var bench = new Bench(backend, 57);
        foreach ((int m, int n) in WeightShapes)
        {
            bench.Begin($"zero [{m}, {n}]");
            Twin w = bench.In(m, n, new double[m * n]);
            Twin u = bench.InOut(1, m, Unit(bench, m));
            Twin v = bench.InOut(1, n, Unit(bench, n));
            Twin sigma = bench.Out(1, 1);
            bench.Run((b, t) => b.PowerIterate(t(w), 3, 0, t(u), t(v), t(sigma)));
            bench.Check(sigma, "sigma", 0);
            bench.Check(u, "u", 0);
            bench.Check(v, "v", 0);
            bench.End();
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Normalised_weights_and_their_gradients_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 58);
        foreach ((int m, int n) in WeightShapes.Concat([(0, 3), (3, 0)]))
        {
            foreach ((double norm, double coefficient) in ((double, double)[])[(3.7, 0.98), (0.5, 0.98), (0, 0.98), (0.98, 0.98)])
            {
                bench.Begin($"[{m}, {n}], sigma {norm}, coefficient {coefficient}");
                Twin w = bench.In(m, n);
                Twin u = bench.In(1, m, Unit(bench, m));
                Twin v = bench.In(1, n, Unit(bench, n));
                double rounded = norm == coefficient ? bench.Round(0.75) : bench.Round(norm);
                double bound = norm == coefficient ? 0.75 : coefficient;
                Twin sigma = bench.In(1, 1, [rounded]);
                Twin scale = bench.In(1, n);
                Twin effective = bench.Out(m, n);
                Twin gradient = bench.InOut(m, n);
                Twin columns = bench.Out(1, n);
                bench.Run((b, t) =>
                {
                    b.NormaliseWeight(t(w), t(sigma), bound, t(scale), t(effective));
                    b.NormaliseWeightBackward(t(w), t(u), t(v), t(sigma), bound, t(scale), t(gradient), t(columns));
                });
                bench.Check(effective, "effective", (i, j) => Tolerance.Arithmetic(bench.Unit, Math.Abs(w[i, j] * scale[0, j])));
                double product = 0;
                for (int i = 0; i < m * n; i++)
                {
                    product += Math.Abs(gradient.Values[i] * w.Values[i] * scale[0, i % n]);
                }

                double across = rounded > bound ? product / rounded : 0;
                bench.Check(gradient, "gradient", (i, j) => Tolerance.Sum(
                    bench.Unit, m * n, Math.Abs(gradient[i, j] * scale[0, j]) + (across * Math.Abs(u[0, i] * v[0, j]))));
                bench.Check(columns, "columnGradient", (_, j) => Tolerance.Sum(
                    bench.Unit, m, Enumerable.Range(0, m).Sum(i => Math.Abs(gradient[i, j] * w[i, j]))));
                bench.End();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Concatenation_scales_and_their_gradients_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 59);
        foreach (int[] widths in (int[][])[[0], [1], [2, 1], [3, 16, 16], [2, 0, 5, 1], [64, 13, 13, 13, 13], [1, 1, 1, 1, 1, 1, 1, 1, 1]])
        {
            int depth = widths.Length - 1;
            bench.Begin($"widths {string.Join(", ", widths)}");
            Twin raw = bench.In(depth, 2, bench.Normal(2 * depth, 3));
            Twin scales = bench.Out(depth + 1, widths.Sum());
            Twin gradient = bench.In(depth + 1, widths.Sum());
            Twin rawGradient = bench.InOut(depth, 2);
            bench.Run((b, t) =>
            {
                b.ConcatenationScales(t(raw), 0.98, widths, t(scales));
                b.ConcatenationScalesBackward(t(raw), 0.98, widths, t(gradient), t(rawGradient));
            });
            bench.Check(scales, "scales", Tolerance.Transcendental(bench.Unit, 1 + depth));

            // |de/dK| <= 0.98 / |h| and |h| >= 0.14.
            double magnitude = 7 * (1 + depth) * gradient.Values.Sum(Math.Abs);
            bench.Check(
                rawGradient, "rawGradient", (i, j) => Tolerance.Sum(bench.Unit, gradient.Values.Length, Math.Abs(rawGradient[i, j]) + magnitude));
            bench.End();
        }
    }

    /// <summary>
    /// As many iterations as the reference made: each divides what is left of the second singular direction in v by 4, so that u and v tell their
    /// number. Far from 500: after some 20 nothing is left.
    /// </summary>
    private static void RequireEarlyStop(Bench bench, Twin u, Twin v, int terms, int second, int period)
    {
        bench.Check(u, "u", Tolerance.Iteration(bench.Unit, terms, 1));
        bench.Check(v, "v", Tolerance.Iteration(bench.Unit, terms, 1));
        double rest = Bench.Read(bench.Subject, v.Subject).Where((_, i) => i % period == second).Max(Math.Abs);
        Assert.InRange(rest, 1e-4, 0.5);
    }

    private static void ForEachSmall(Bench bench, Action<int, int> body)
    {
        foreach (int d in Dimensions)
        {
            foreach (int samples in SampleCounts)
            {
                bench.Begin($"{samples} samples, d = {d}");
                body(samples, d);
                bench.End();
            }
        }
    }

    private static double[] Unit(Bench bench, int n)
    {
        double[] x = bench.Normal(n);
        double length = Math.Sqrt(x.Sum(a => a * a));
        return [.. x.Select(a => bench.Round(a / length))];
    }

    /// <summary>Tangents as <see cref="IBackend.CompleteBasis"/> makes them.</summary>
    private static double[] Basis(Bench bench, int samples, int d)
    {
        Tensor tangents = bench.Reference.Allocate(d * samples, d);
        bench.Reference.CompleteBasis(bench.OfReference(samples, d, bench.Normal(samples * d)), tangents);
        return Bench.Read(bench.Reference, tangents);
    }

    /// <summary>Tangents whose matrices are diagonally dominant but for the order of their rows.</summary>
    private static double[] Shuffled(Bench bench, int samples, int d)
    {
        double[] tangents = new double[d * samples * d];
        for (int i = 0; i < samples; i++)
        {
            int[] order = [.. Enumerable.Range(0, d)];
            bench.Random.Shuffle(order);
            for (int k = 0; k < d; k++)
            {
                for (int j = 0; j < d; j++)
                {
                    double small = (bench.Random.NextDouble() - 0.5) / d;
                    tangents[(((k * samples) + i) * d) + j] = bench.Round(j == order[k] ? 2 + small : small);
                }
            }
        }

        return tangents;
    }

    /// <summary>Matrices of Frobenius norm 0.6; with mirrored, some have a row of I + J negated, so that its determinant is negative.</summary>
    private static double[] SmallJacobians(Bench bench, int samples, int d, bool mirrored)
    {
        double[] jacobians = bench.Normal(samples * d * d);
        for (int i = 0; i < samples; i++)
        {
            Span<double> jacobian = jacobians.AsSpan(i * d * d, d * d);
            double length = 0;
            foreach (double x in jacobian)
            {
                length += x * x;
            }

            bool negate = mirrored && bench.Random.Next(4) == 0;
            for (int j = 0; j < d * d; j++)
            {
                double x = 0.6 * jacobian[j] / Math.Sqrt(length);
                jacobian[j] = bench.Round(negate && j < d ? -x - (j == 0 ? 2 : 0) : x);
            }
        }

        return jacobians;
    }
}
