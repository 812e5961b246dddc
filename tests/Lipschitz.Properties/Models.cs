using FsCheck;
using FsCheck.Fluent;
using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Properties;

/// <summary>Small random layers and flows in double precision.</summary>
internal static class Models
{
    public static IBackend Backend { get; } = ReferenceBackend.Create(Precision.Float64);

    /// <summary>What a random flow is made of.</summary>
    public record Shape(int Width, int Blocks, bool Dense, Activation Activation, double Coefficient, bool ActNorm, int Seed);

    public static Gen<Shape> Shapes(int largestBlocks) =>
        from width in Gen.Choose(1, 4)
        from blocks in Gen.Choose(1, largestBlocks)
        from dense in Gen.Elements(true, false)
        from f in Gen.Elements(Enum.GetValues<Activation>().Where(f => f != Activation.MaxMin))
        from coefficient in Gen.Elements(0.3, 0.7, 0.9, 0.95)
        from norm in Gen.Elements(true, false)
        from seed in Property.Seed
        select new Shape(width, blocks, dense, f, coefficient, norm, seed);

    public static ResidualBlock Block(Shape shape, int number)
    {
        string name = $"blocks.{number}";
        var key = new RandomKey((ulong)shape.Seed, RandomPurpose.Test, 0, (uint)number);
        var normalisation = Normalisation.Spectral(shape.Coefficient);
        ILayer branch = shape.Dense
            ? new DenseNet(Backend, name, shape.Width, 2, 4, shape.Activation, true, 0.98, normalisation, key)
            : new Sequential(
                new ActivationLayer(Backend, name, shape.Activation, shape.Width),
                new Linear(Backend, $"{name}.0", shape.Activation.OutputColumns(shape.Width), 5, normalisation, key, 4),
                new ActivationLayer(Backend, $"{name}.1", shape.Activation, 5),
                new Linear(Backend, $"{name}.1", shape.Activation.OutputColumns(5), shape.Width, normalisation, key, 4));
        Scatter(branch.Parameters, new Random(shape.Seed + number));
        branch.UpdateNorms(300, 0);
        var block = new ResidualBlock(Backend, name, branch);
        block.Prepare();
        return block;
    }

    public static Flow Flow(Shape shape)
    {
        var random = new Random(shape.Seed);
        var chain = new List<IBijection>();
        for (int b = 0; b < shape.Blocks; b++)
        {
            chain.Add(Block(shape, b));
            if (shape.ActNorm)
            {
                var norm = new ActNorm(Backend, $"norms.{b}", shape.Width);
                Scatter(norm.Parameters, random);
                chain.Add(norm);
            }
        }

        return new Flow(Backend, chain);
    }

    /// <summary>Gives everything but weights and singular vectors normal numbers.</summary>
    public static void Scatter(IEnumerable<Parameter> parameters, Random random)
    {
        foreach (Parameter parameter in parameters.Where(p => p.Role is not (ParameterRole.Weight or ParameterRole.SingularVector)))
        {
            Backend.Upload([.. Enumerable.Range(0, parameter.Value.Count).Select(_ => Vectors.Normal(random))], parameter.Value);
        }
    }

    public static double[] Forward(ILayer layer, double[] x) => Apply(x, layer.InputWidth, layer.OutputWidth, layer.Forward);

    public static double[] Forward(IBijection bijection, double[] x) => Apply(x, bijection.Width, bijection.Width, bijection.Forward);

    private static double[] Apply(double[] x, int inputs, int outputs, Action<Tensor, Tensor, Workspace> map)
    {
        Tensor from = Backend.Allocate(x.Length / inputs, inputs), to = Backend.Allocate(x.Length / inputs, outputs);
        Backend.Upload(x, from);
        map(from, to, new Workspace(Backend));
        var y = new double[to.Count];
        Backend.Download(to, y);
        return y;
    }
}
