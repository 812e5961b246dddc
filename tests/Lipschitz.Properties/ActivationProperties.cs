using FsCheck.Fluent;
using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Properties;

/// <summary>Each activation's Lipschitz constant: never exceeded, and nothing smaller would do.</summary>
public class ActivationProperties
{
    private static readonly double[] s_exponents = [1, 1.5, 2, 3, double.PositiveInfinity];

    public static TheoryData<Activation, double> AllInAllNorms
    {
        get
        {
            TheoryData<Activation, double> data = [];
            foreach (Activation f in Enum.GetValues<Activation>())
            {
                foreach (double p in s_exponents)
                {
                    data.Add(f, p);
                }
            }

            return data;
        }
    }

    [Fact]
    public void No_difference_quotient_exceeds_the_constant() => Property.Holds(
        from f in Gen.Elements(Enum.GetValues<Activation>())
        from p in Property.Exponent
        from pairs in Gen.Choose(1, 3)
        from seed in Property.Seed
        select (F: f, P: p, Columns: 2 * pairs, Seed: seed),
        c =>
        {
            var random = new Random(c.Seed);
            double[] parameters = [.. Enumerable.Range(0, c.F.ParameterCount()).Select(_ => 3 * Vectors.Normal(random))];
            for (int pair = 0; pair < 20; pair++)
            {
                double[] x = [.. Vectors.Draw(random, c.Columns).Select(v => 3 * v)];
                double[] other = Vectors.Plus(x, Math.Pow(10, random.Next(-5, 2)), Vectors.Draw(random, c.Columns));
                double moved = Vectors.Norm(Vectors.Minus(Apply(c.F, parameters, x), Apply(c.F, parameters, other)), c.P);
                double apart = Vectors.Norm(Vectors.Minus(x, other), c.P);
                Property.AtMost(moved, (c.F.LipschitzConstant(c.P) * (1 + 1e-12) * apart) + (1e-15 * (1 + Vectors.Norm(x, c.P))), "quotient");
            }
        },
        500);

    [Theory, MemberData(nameof(AllInAllNorms))]
    public void The_constant_is_attained(Activation f, double p)
    {
        // LeakyLSwish is as steep as the identity only in the limit of its alpha.
        double[] parameters = f == Activation.LeakyLSwish ? [9, 0.5] : f.InitialParameters();
        const double Step = 1e-6;
        double steepest = 0;
        for (double x = -20; x < 20; x += 0.01)
        {
            double[] up = Apply(f, parameters, [x + Step, -3]), down = Apply(f, parameters, [x - Step, -3]);
            steepest = Math.Max(steepest, Vectors.Norm(Vectors.Minus(up, down), p) / (2 * Step));
        }

        Assert.InRange(steepest, f.LipschitzConstant(p) * (1 - 1e-3), f.LipschitzConstant(p) * (1 + 1e-8));
    }

    [Fact]
    public void The_doubled_activation_is_no_contraction_below_the_2_norm()
    {
        Assert.InRange(Activation.CLipSwish.LipschitzConstant(1), 1.08, 1.09);
        Assert.InRange(Activation.CLipSwish.LipschitzConstant(1.5), 1.01, 1.02);
        Assert.InRange(Activation.CLipSwish.LipschitzConstant(2), 0.9999, 1);
        Assert.InRange(Activation.CLipSwish.LipschitzConstant(3), 0.99, 1);
        Assert.InRange(Activation.LipSwish.LipschitzConstant(1), 0.9998, 1);
    }

    private static double[] Apply(Activation f, double[] parameters, double[] x)
    {
        IBackend backend = Models.Backend;
        Tensor theta = backend.Allocate(1, parameters.Length), pre = backend.Allocate(1, x.Length), y = backend.Allocate(1, f.OutputColumns(x.Length));
        backend.Upload(parameters, theta);
        backend.Upload(x, pre);
        backend.Activate(f, theta, pre, 1, y);
        var values = new double[y.Count];
        backend.Download(y, values);
        return values;
    }
}
