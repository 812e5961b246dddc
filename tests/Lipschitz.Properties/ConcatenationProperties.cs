using FsCheck;
using FsCheck.Fluent;
using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Randomness;

namespace Lipschitz.Properties;

/// <summary>Lip([e1 x; e2 f(x)]) &lt;= (e1^p + (e2 L)^p)^(1/p) for Lip(f) &lt;= L (Perugachi-Diaz et al. 2020, appendix A).</summary>
public class ConcatenationProperties
{
    private static readonly Func<double, double>[] s_contractions = [x => x, Math.Tanh, Math.Sin, Math.Abs, x => Math.Max(x, 0), x => Math.Log(1 + (x * x)) / 2];

    private static Gen<(double P, int Inputs, int Outputs, int Seed)> Cases =>
        from p in Property.Exponent
        from inputs in Gen.Choose(1, 6)
        from outputs in Gen.Choose(1, 6)
        from seed in Property.Seed
        select (p, inputs, outputs, seed);

    [Fact]
    public void The_bound_is_never_exceeded() => Property.Holds(Cases, c =>
    {
        var random = new Random(c.Seed);
        (double e1, double e2) = (2 * Vectors.Normal(random), 2 * Vectors.Normal(random));
        double[] w = Vectors.Draw(random, c.Inputs * c.Outputs);
        Func<double, double> phi = s_contractions[random.Next(s_contractions.Length)];
        double lipschitz = InducedNorm.Bound(w, c.Outputs, c.Inputs, c.P);
        double bound = Concatenation.Bound(e1, e2, lipschitz, c.P);
        for (int pair = 0; pair < 10; pair++)
        {
            double[] x = Vectors.Draw(random, c.Inputs);
            double[] other = Vectors.Plus(x, Math.Pow(10, random.Next(-4, 2)), Vectors.Draw(random, c.Inputs));
            double[] left = Both(x), right = Both(other);
            // The values are rounded relative to their own size, which far-out points make much larger than their difference.
            double rounding = 1e-14 * bound * (Vectors.Norm(x, c.P) + Vectors.Norm(other, c.P));
            Property.AtMost(
                Vectors.Norm(Vectors.Minus(left, right), c.P),
                (bound * (1 + 1e-9) * Vectors.Norm(Vectors.Minus(x, other), c.P)) + rounding + 1e-13, "stretch");
        }

        double[] Both(double[] x) => [.. x.Select(v => e1 * v), .. Vectors.Multiply(w, x).Select(v => e2 * phi(v))];
    });

    [Fact]
    public void The_bound_is_attained_where_both_parts_stretch_one_direction_most() => Property.Holds(Cases, c =>
    {
        // f(x) = K (d . x) u with |u|_p = 1, |d|_q = 1 and d . v = |v|_p stretches v by K and nothing by more.
        var random = new Random(c.Seed);
        (double e1, double e2, double k) = (2 * Vectors.Normal(random), 2 * Vectors.Normal(random), Math.Exp(2 * Vectors.Normal(random)));
        double[] v = [.. Enumerable.Range(0, c.Inputs).Select(_ => Vectors.Normal(random))];
        double[] u = [.. Enumerable.Range(0, c.Outputs).Select(_ => Vectors.Normal(random))];
        double[] d = Vectors.Dual(v, c.P);
        double size = Vectors.Norm(u, c.P);
        double[] image = [.. v.Select(x => e1 * x), .. u.Select(x => e2 * k * Vectors.Dot(d, v) * x / size)];
        double attained = Vectors.Norm(image, c.P) / Vectors.Norm(v, c.P), bound = Concatenation.Bound(e1, e2, k, c.P);
        Property.AtMost(Math.Abs(attained - bound), 1e-12 * bound, $"p = {c.P}: attained {attained:R} of {bound:R}, difference");
        double[] other = Vectors.Draw(random, c.Inputs);
        double[] weak = [.. other.Select(x => e1 * x), .. u.Select(x => e2 * k * Vectors.Dot(d, other) * x / size)];
        Property.AtMost(Vectors.Norm(weak, c.P), (bound * (1 + 1e-12) * Vectors.Norm(other, c.P)) + 1e-300, "another direction");
    });

    [Fact]
    public void Dense_layers_and_networks_keep_to_their_bound_in_every_norm() => Property.Holds(
        from p in Property.Exponent
        from f in Gen.Elements(Enum.GetValues<Activation>())
        from learnable in Gen.Elements(true, false)
        from depth in Gen.Choose(0, 3)
        from seed in Property.Seed
        select (P: p, F: f, Learnable: learnable, Depth: depth, Seed: seed),
        c =>
        {
            const int Width = 3, Rows = 8;
            var random = new Random(c.Seed);
            IBackend backend = Models.Backend;
            var key = new RandomKey((ulong)c.Seed, RandomPurpose.Test);
            var normalisation = Normalisation.Spectral(0.5 + random.NextDouble());
            ILayer layer = c.Depth == 0
                ? new DenseLayer(backend, "g", Width, 4, c.F, c.Learnable, 0.98, normalisation, key)
                : new DenseNet(backend, "g", Width, c.Depth, 4, c.F, c.Learnable, 0.98, normalisation, key);
            Models.Scatter(layer.Parameters, random);
            layer.Prepare();
            double bound = layer.Bound(c.P);
            double[] x = [.. Enumerable.Range(0, Rows).SelectMany(_ => Vectors.Draw(random, Width))];
            double[] step = [.. Enumerable.Range(0, Rows).SelectMany(_ => Vectors.Draw(random, Width))];
            double[] other = Vectors.Plus(x, Math.Pow(10, random.Next(-4, 2)), step);
            double[] moved = Vectors.Minus(Models.Forward(layer, x), Models.Forward(layer, other)), apart = Vectors.Minus(x, other);
            for (int row = 0; row < Rows; row++)
            {
                double size = Vectors.Norm(x.AsSpan(row * Width, Width), c.P) + Vectors.Norm(other.AsSpan(row * Width, Width), c.P);
                Property.AtMost(
                    Vectors.Norm(moved.AsSpan(row * layer.OutputWidth, layer.OutputWidth), c.P),
                    (bound * (1 + 1e-9) * Vectors.Norm(apart.AsSpan(row * Width, Width), c.P)) + (1e-13 * size) + 1e-11, "stretch");
            }
        },
        150);
}
