using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <content>Squeezing, logit, cross-entropy; weights normalised by the norm of a convolution.</content>
public partial class KernelConformance
{
    private static readonly ImageShape[] Pictures =
        [new(2, 2, 1), new(2, 4, 3), new(4, 2, 1), new(6, 6, 5), new(4, 8, 12), new(2, 2, 33), new(0, 2, 3), new(8, 8, 16)];

    [Theory]
    [MemberData(nameof(Backends))]
    public void Squeezed_pictures_equal_the_reference_and_come_back(string backend)
    {
        using var bench = new Bench(backend, 90);
        foreach (ImageShape shape in Pictures)
        {
            foreach (int rows in (int[])[0, 1, 3])
            {
                bench.Begin($"{rows} pictures of {shape}");
                Twin x = bench.In(rows, shape.Count);
                Twin y = bench.Out(rows, shape.Count);
                Twin z = bench.In(rows, shape.Count);
                Twin back = bench.Out(rows, shape.Count);
                Twin again = bench.Out(rows, shape.Count);
                bench.Run((b, t) =>
                {
                    b.Squeeze(t(x), shape, t(y));
                    b.Unsqueeze(t(z), shape, t(back));
                    b.Unsqueeze(t(y), shape, t(again));
                });
                bench.Check(y, "squeezed", 0);
                bench.Check(back, "unsqueezed", 0);
                Assert.Equal(x.Values, Bench.Read(bench.Subject, again.Subject));
                bench.End();
            }
        }

        Assert.Throws<ShapeMismatchException>(
            () => bench.Subject.Squeeze(bench.Subject.Allocate(1, 15), new(3, 5, 1), bench.Subject.Allocate(1, 15)));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Logits_and_their_log_determinants_equal_the_reference_up_to_the_edges(string backend)
    {
        using var bench = new Bench(backend, 91);
        foreach (double alpha in (double[])[0.05, 1e-6])
        {
            ForEachShape(bench, (rows, columns) =>
            {
                double[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => bench.Round(bench.Random.Next(5) switch
                {
                    0 => 0,
                    1 => 1,
                    2 => bench.Random.NextDouble() * 1e-6,
                    _ => bench.Random.NextDouble(),
                }))];
                Twin x = bench.In(rows, columns, values);
                Twin y = bench.Out(rows, columns);
                Twin logDet = bench.InOut(rows, 1);
                bench.Run((b, t) => b.LogitForward(t(x), alpha, t(y), t(logDet)));
                bench.CheckExact(y, "y"); // not even near 0 and 1 does anything cancel
                bench.Check(logDet, "logDet", (i, _) => Tolerance.Sum(bench.Unit, 1, Math.Abs(logDet[i, 0]) + (15 * columns)));
            });
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Inverse_logits_and_gradients_equal_the_reference_also_in_place(string backend)
    {
        using var bench = new Bench(backend, 92);
        ForEachShape(bench, (rows, columns) =>
        {
            double alpha = bench.Pick(0.05, 1e-6);
            Twin y = bench.In(rows, columns, bench.Normal(rows * columns, bench.Pick(1.0, 5)));
            Twin inPlace = bench.InOut(rows, columns);
            Twin x = bench.Out(rows, columns);
            Twin yGradient = bench.In(rows, columns);
            Twin logDetGradient = bench.In(rows, 1);
            Twin gradient = bench.Out(rows, columns);
            Twin gradientInPlace = bench.InOut(rows, columns);
            bench.Run((b, t) =>
            {
                b.LogitInverse(t(y), alpha, t(x));
                b.LogitInverse(t(inPlace), alpha, t(inPlace));
                b.LogitBackward(t(y), alpha, t(yGradient), t(logDetGradient), t(gradient));
                b.LogitBackward(t(y), alpha, t(gradientInPlace), t(logDetGradient), t(gradientInPlace));
            });
            bench.Check(x, "x", Tolerance.Transcendental(bench.Unit, 1));
            bench.Check(inPlace, "x in place", Tolerance.Transcendental(bench.Unit, 1));
            bench.Check(gradient, "gradient", (i, j) => Allowed(yGradient, i, j));
            bench.Check(gradientInPlace, "gradient in place", (i, j) => Allowed(gradientInPlace, i, j));
            double Allowed(Twin g, int i, int j) =>
                Tolerance.Transcendental(bench.Unit, (2 + Math.Exp(Math.Abs(y[i, j]))) * (Math.Abs(g[i, j]) + Math.Abs(logDetGradient[i, 0])));
        });
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Cross_entropies_equal_the_reference_however_large_the_logits(string backend)
    {
        using var bench = new Bench(backend, 93);
        foreach (int classes in (int[])[1, 2, 3, 10, 17, 100])
        {
            foreach (int rows in (int[])[0, 1, 5, 33])
            {
                double scale = bench.Pick(1.0, 20, 500);
                bench.Begin($"{rows} rows of {classes} classes, scale {scale}");
                Twin logits = bench.In(rows, classes, bench.Normal(rows * classes, scale));
                Twin labels = bench.In(rows, 1, [.. Enumerable.Range(0, rows).Select(_ => (double)bench.Random.Next(classes))]);
                Twin loss = bench.Out(rows, 1);
                Twin gradient = bench.Out(rows, classes);
                bench.Run((b, t) => b.SoftmaxCrossEntropy(t(logits), t(labels), t(loss), t(gradient)));
                bench.Check(loss, "loss", Tolerance.Transcendental(bench.Unit, 1 + (8 * scale)));
                bench.Check(gradient, "gradient", Tolerance.Transcendental(bench.Unit, 1));
                bench.End();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Gradients_of_weights_normalised_by_a_given_gradient_of_the_norm_equal_the_reference(string backend)
    {
        using var bench = new Bench(backend, 94);
        foreach ((int m, int n) in WeightShapes)
        {
            foreach (double bound in (double[])[0.5, 100])
            {
                bench.Begin($"[{m}, {n}], norm 1.25, bound {bound}");
                Twin w = bench.In(m, n);
                Twin direction = bench.In(m, n);
                Twin sigma = bench.In(1, 1, [1.25]);
                Twin scale = bench.In(1, n);
                Twin gradient = bench.InOut(m, n);
                Twin columns = bench.Out(1, n);
                bench.Run((b, t) => b.NormaliseWeightBackward(t(w), t(direction), t(sigma), bound, t(scale), t(gradient), t(columns)));
                double product = Enumerable.Range(0, m * n).Sum(i => Math.Abs(gradient.Values[i] * w.Values[i] * scale[0, i % n]));
                double across = bound < 1.25 ? product / 1.25 : 0;
                bench.Check(gradient, "gradient", (i, j) => Tolerance.Sum(
                    bench.Unit, m * n, Math.Abs(gradient[i, j] * scale[0, j]) + (across * Math.Abs(direction[i, j]))));
                bench.Check(columns, "columnGradient", (_, j) => Tolerance.Sum(
                    bench.Unit, m, Enumerable.Range(0, m).Sum(i => Math.Abs(gradient[i, j] * w[i, j]))));
                bench.End();
            }
        }
    }
}
