using Lipschitz.Core.Tests.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Layers;

/// <summary>The four operations of every layer of the table against central differences and against each other.</summary>
public class LayerTests
{
    private const int Rows = 3;

    public static TheoryData<string> Names => LayerTable.Names;

    /// <summary>(T, T'): tangents evaluated and those among them that have a gradient.</summary>
    public static (int Evaluated, int Differentiated)[] Tangents => [(0, 0), (1, 1), (2, 2), (2, 1), (2, 0)];

    [Theory, MemberData(nameof(Names))]
    public void Forward_is_the_value_of_Evaluate(string name)
    {
        (LayerProbe probe, Random random) = Create(name);
        double[] x = Points(probe, random), t = Normal(random, x.Length);
        Close(probe.Evaluate(x, Rows), probe.Forward(x), 1e-14);
        Close(probe.Forward(x), probe.Evaluate([.. x, .. t], Rows)[..(Rows * probe.Layer.OutputWidth)], 1e-14);
    }

    [Theory, MemberData(nameof(Names))]
    public void Tangents_of_Evaluate_are_Jvp_and_central_differences(string name)
    {
        (LayerProbe probe, Random random) = Create(name);
        double[] x = Points(probe, random), t = Normal(random, 2 * x.Length);
        double[] images = probe.Evaluate([.. x, .. t], Rows)[(Rows * probe.Layer.OutputWidth)..];
        Close(images, probe.Jvp(x, t), 1e-13);
        for (int block = 0; block < 2; block++)
        {
            const double Step = 1e-5;
            double[] direction = t[(block * x.Length)..((block + 1) * x.Length)];
            double[] up = probe.Forward(Plus(x, Step, direction)), down = probe.Forward(Plus(x, -Step, direction));
            double[] expected = [.. up.Zip(down, (a, b) => (a - b) / (2 * Step))];
            CloseToDifferences(expected, images[(block * expected.Length)..((block + 1) * expected.Length)]);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Vjp_is_the_adjoint_of_Jvp_for_several_stacked_rows(string name)
    {
        (LayerProbe probe, Random random) = Create(name);
        const int Stacked = 3;
        double[] x = Points(probe, random), t = Normal(random, Stacked * x.Length);
        double[] w = Normal(random, Stacked * Rows * probe.Layer.OutputWidth);
        double[] jt = probe.Jvp(x, t), jw = probe.Vjp(x, w);
        for (int row = 0; row < Stacked * Rows; row++)
        {
            Close(Dot(Row(w, row, probe.Layer.OutputWidth), Row(jt, row, probe.Layer.OutputWidth)),
                Dot(Row(jw, row, probe.Layer.InputWidth), Row(t, row, probe.Layer.InputWidth)));
        }

        double[] first = w[..(Rows * probe.Layer.OutputWidth)];
        CloseToDifferences(Gradient(at => Dot(first, probe.Forward(at)), x), jw[..x.Length]);
        Close(jw[..x.Length], probe.Vjp(x, first), 1e-14);
    }

    [Theory, MemberData(nameof(Names))]
    public void Backward_is_the_gradient_in_input_and_tangents(string name)
    {
        foreach ((int evaluated, int differentiated) in Tangents)
        {
            (LayerProbe probe, Random random) = Create(name);
            double[] x = Points(probe, random), t = Normal(random, evaluated * x.Length);
            double[] g = Normal(random, (1 + differentiated) * Rows * probe.Layer.OutputWidth);
            double[] stacked = [.. x, .. t];
            (double[] input, _) = probe.Backward(stacked, Rows, g);
            double[] expected = Gradient(at => Dot(g, probe.Evaluate(at, Rows)[..g.Length]), stacked);
            CloseToDifferences(expected[..((1 + differentiated) * x.Length)], input);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Backward_and_PullBack_give_the_gradient_in_every_trained_parameter(string name)
    {
        foreach ((int evaluated, int differentiated) in Tangents)
        {
            (LayerProbe probe, Random random) = Create(name);
            double[] stacked = [.. Points(probe, random), .. Normal(random, evaluated * Rows * probe.Layer.InputWidth)];
            double[] g = Normal(random, (1 + differentiated) * Rows * probe.Layer.OutputWidth);
            (_, double[] flat) = probe.Backward(stacked, Rows, g);
            foreach (Parameter parameter in probe.Trained.Parameters)
            {
                double[] expected = probe.Differentiate(parameter, () => Dot(g, probe.Evaluate(stacked, Rows)[..g.Length]));
                CloseToDifferences(expected, flat[parameter.Offset..(parameter.Offset + parameter.Value.Count)]);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Gradients_of_two_evaluations_add_up(string name)
    {
        (LayerProbe probe, Random random) = Create(name);
        double[] a = [.. Points(probe, random), .. Points(probe, random)], b = [.. Points(probe, random), .. Points(probe, random)];
        double[] ga = Normal(random, 2 * Rows * probe.Layer.OutputWidth), gb = Normal(random, ga.Length);
        Tensor sum = LayerTable.Backend.Allocate(1, probe.Trained.Values.Columns);
        probe.AddBackward(a, Rows, ga, sum);
        probe.AddBackward(b, Rows, gb, sum);
        probe.Layer.PullBack(sum);
        double[] first = probe.Backward(a, Rows, ga).Parameters, second = probe.Backward(b, Rows, gb).Parameters;
        Close([.. first.Zip(second, (u, v) => u + v)], sum.Read(), 1e-12);
    }

    [Theory, MemberData(nameof(Names))]
    public void Two_linearizations_of_one_layer_do_not_disturb_each_other(string name)
    {
        (LayerProbe probe, Random random) = Create(name);
        double[] x = Points(probe, random), other = Points(probe, random), w = Normal(random, Rows * probe.Layer.OutputWidth);
        double[] alone = probe.Vjp(x, w);
        var workspace = new Workspace(LayerTable.Backend);
        Linearization first = probe.Layer.CreateLinearization(), second = probe.Layer.CreateLinearization();
        first.Evaluate(Tensor(Rows, probe.Layer.InputWidth, x), Rows, workspace);
        second.Evaluate(Tensor(Rows, probe.Layer.InputWidth, other), Rows, workspace);
        second.PrepareProducts(workspace);
        first.PrepareProducts(workspace);
        Tensor unused = NaNs(Rows, probe.Layer.InputWidth), result = NaNs(Rows, probe.Layer.InputWidth);
        second.Vjp(Tensor(Rows, probe.Layer.OutputWidth, w), unused, workspace);
        first.Vjp(Tensor(Rows, probe.Layer.OutputWidth, w), result, workspace);
        Assert.Equal(alone, result.Read());
        Assert.Equal(probe.Forward(x), first.Value.Read());
    }

    [Theory, MemberData(nameof(Names))]
    public void Evaluations_use_the_effective_weights_as_packed(string name)
    {
        (LayerProbe probe, Random random) = Create(name);
        IReadOnlyList<EffectiveWeight> weights = probe.Layer.EffectiveWeights;
        Assert.Equal(probe.Layer.Parameters.Count(p => p.Role == ParameterRole.Weight), weights.Count);
        Assert.Equal(weights.Count, weights.Select(weight => weight.Name).Distinct().Count());
        double[] x = Points(probe, random), w = Normal(random, Rows * probe.Layer.OutputWidth);
        double[] value = probe.Forward(x), product = probe.Vjp(x, w);
        double[][] kept = [.. weights.Select(weight => weight.Value.Read())];
        foreach (Parameter parameter in probe.Layer.Parameters.Where(p => p.Role == ParameterRole.Weight))
        {
            LayerTable.Backend.Upload(Normal(random, parameter.Value.Count), parameter.Value);
        }

        probe.Layer.Prepare();
        Assert.True(weights.Count == 0 || !value.SequenceEqual(probe.Forward(x)));
        for (int i = 0; i < kept.Length; i++)
        {
            LayerTable.Backend.Upload(kept[i], weights[i].Value);
        }

        probe.Layer.Pack();
        Assert.Equal(value, probe.Forward(x));
        Assert.Equal(product, probe.Vjp(x, w));
    }

    private static (LayerProbe Probe, Random Random) Create(string name) => (new LayerProbe(LayerTable.Create(name)), new Random(5));

    // Away from kinks and ties of the activations at the front.
    private static double[] Points(LayerProbe probe, Random random) => AwayFromKinks(random, Rows * probe.Layer.InputWidth);

    private static double[] Row(double[] matrix, int row, int width) => matrix[(row * width)..((row + 1) * width)];

    private static double[] Plus(double[] x, double step, double[] direction) => [.. x.Zip(direction, (a, b) => a + (step * b))];
}
