using Lipschitz.Backends;
using Lipschitz.Core.Tests.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Flows;

/// <summary>Every bijection, alone and in chains, as a flow of d columns. A new bijection is a new row here.</summary>
internal static class BijectionTable
{
    private static readonly Dictionary<string, Func<IBackend, int, IBijection[]>> s_chains = new()
    {
        ["ActNorm"] = (backend, width) => [new ActNorm(backend, "norm", width)],
        ["block, linear"] = (backend, width) => [Block(backend, 0, NewLinear(backend, width, width, 0.7, "g"))],
        ["block, dense net"] = (backend, width) => [Block(backend, 0, Net(backend, width, Activation.LipSwish, "g"))],
        ["block, dense net, CLipSwish"] = (backend, width) => [Block(backend, 0, Net(backend, width, Activation.CLipSwish, "g"))],
        ["block, dense net, MaxMin"] = (backend, width) => [Block(backend, 0, Net(backend, width, Activation.MaxMin, "g"))],
        ["block, residual branch"] = (backend, width) => [Block(backend, 0, Residual(backend, width))],
        ["three blocks and four ActNorms"] = (backend, width) =>
        [
            new ActNorm(backend, "norms.0", width), Block(backend, 0, Net(backend, width, Activation.LipSwish, "g0")),
            new ActNorm(backend, "norms.1", width), Block(backend, 1, Residual(backend, width)),
            new ActNorm(backend, "norms.2", width), Block(backend, 2, Net(backend, width, Activation.CLipSwish, "g2")),
            new ActNorm(backend, "norms.3", width),
        ],
        ["two blocks"] = (backend, width) =>
        [
            Block(backend, 0, Net(backend, width, Activation.LeakyLSwish, "g0")), Block(backend, 1, Residual(backend, width)),
        ],
    };

    private static readonly ImageShape s_picture = new(2, 4, 2);

    private static readonly Dictionary<string, Func<IBackend, IBijection[]>> s_pictures = new()
    {
        ["ActNorm of channels"] = backend => [new ActNorm(backend, "norm", 2, 8)],
        ["squeeze"] = backend => [new Squeeze(backend, "squeeze", s_picture)],
        ["channel split"] = backend => [new ChannelSplit(backend, "split", s_picture)],
        ["squeeze, ActNorm of channels, channel split, ActNorm of columns"] = backend =>
        [
            new Squeeze(backend, "squeeze", s_picture), new ActNorm(backend, "norms.0", 8, 2), new ChannelSplit(backend, "split", s_picture.Squeezed),
            new ActNorm(backend, "norms.1", 16),
        ],
        ["factoring out, twice"] = backend =>
        [
            Block(backend, 0, PictureNet(backend, s_picture, "g0")), new ActNorm(backend, "norms.0", 2, 8), new ChannelSplit(backend, "split", s_picture),
            Block(backend, 1, PictureNet(backend, new ImageShape(2, 4, 1), "g1")), new ActNorm(backend, "norms.1", 4),
        ],
        ["block, dense net of convolutions"] = backend => [Block(backend, 0, PictureNet(backend, s_picture, "g"))],
    };

    public static IBackend Backend { get; } = ReferenceBackend.Create(Precision.Float64);

    public static TheoryData<string, int> NamesAndWidths
    {
        get
        {
            TheoryData<string, int> data = [];
            foreach (string name in s_chains.Keys)
            {
                data.Add(name, 2);
                data.Add(name, 5);
            }

            foreach (string name in s_pictures.Keys)
            {
                data.Add(name, s_picture.Count);
            }

            return data;
        }
    }

    public static Flow Create(string name, int width) => Create(name, width, Backend);

    /// <summary>A flow with scattered parameters, converged norms and an ActNorm initialised on other data than the tests use.</summary>
    public static Flow Create(string name, int width, IBackend backend)
    {
        var flow = new Flow(backend, s_pictures.TryGetValue(name, out Func<IBackend, IBijection[]>? pictures) ? pictures(backend) : s_chains[name](backend, width));
        var random = new Random(8);
        foreach (Parameter parameter in flow.Parameters.Where(p => p.Role is not (ParameterRole.Weight or ParameterRole.SingularVector)))
        {
            backend.Upload(Differences.Normal(random, parameter.Value.Count), parameter.Value);
        }

        flow.UpdateNorms(1000);
        flow.Initialise([.. Differences.Normal(random, 20 * width).Select(x => (3 * x) + 1)]);
        return flow;
    }

    /// <summary>A flow of one block whose branch is x -> weight x, as wide as the square matrix.</summary>
    public static Flow OfMatrix(IBackend backend, params double[] weight) =>
        new(backend, [Block(backend, 0, Fixed(backend, weight))]);

    /// <summary>A flow of one block whose branch is x -> second first x, of square matrices.</summary>
    public static Flow OfProduct(double[] second, double[] first) =>
        new(Backend, [Block(Backend, 0, new Sequential(Fixed(Backend, first), Fixed(Backend, second)))]);

    private static Linear Fixed(IBackend backend, double[] weight)
    {
        int width = (int)Math.Sqrt(weight.Length);
        var linear = new Linear(backend, "g", width, width, Normalisation.None, new RandomKey(1, RandomPurpose.Test));
        backend.Upload(weight, linear.Parameters[0].Value);
        backend.Fill(linear.Parameters.Single(p => p.Role == ParameterRole.Bias).Value, 0);
        linear.UpdateNorms(100, 0);
        return linear;
    }

    private static ResidualBlock Block(IBackend backend, int number, ILayer branch) => new(backend, $"blocks.{number}", branch);

    private static RandomKey Key(string name) => new(9, RandomPurpose.Test, 0, (uint)name.Sum(letter => letter));

    private static Linear NewLinear(IBackend backend, int inputs, int outputs, double coefficient, string name) =>
        new(backend, name, inputs, outputs, Normalisation.Spectral(coefficient), Key(name), 3);

    private static DenseNet Net(IBackend backend, int width, Activation f, string name) =>
        new(backend, name, width, 2, 4, f, true, 0.98, Normalisation.Spectral(0.9), Key(name));

    private static DenseNet PictureNet(IBackend backend, ImageShape shape, string name) =>
        new(backend, name, shape, shape.Channels, 3, 2, 3, Activation.LipSwish, true, 0.98, Normalisation.Spectral(0.9), Key(name));

    private static Sequential Residual(IBackend backend, int width) => new(
        new ActivationLayer(backend, "r0", Activation.LipSwish, width), NewLinear(backend, width, 6, 0.9, "r0"),
        new ActivationLayer(backend, "r1", Activation.Elu, 6), NewLinear(backend, 6, width, 0.9, "r1"));
}
