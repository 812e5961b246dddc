using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Layers;

/// <summary>Every layer, each in the variants that take another path through its code. A new layer is a new row here.</summary>
internal static class LayerTable
{
    private const double Infinity = double.PositiveInfinity;
    private static readonly IBackend s_backend = ReferenceBackend.Create(Precision.Float64);
    private static readonly Dictionary<string, Func<ILayer>> s_layers = Layers();

    public static IBackend Backend => s_backend;

    public static TheoryData<string> Names => [.. s_layers.Keys];

    public static ILayer Create(string name) => s_layers[name]();

    private static Dictionary<string, Func<ILayer>> Layers()
    {
        var layers = new Dictionary<string, Func<ILayer>>
        {
            ["linear, spectral norm above the coefficient"] = () => NewLinear(4, 3, Normalisation.Spectral(0.9), 4),
            ["linear, spectral norm below the coefficient"] = () => NewLinear(4, 3, Normalisation.Spectral(0.9), 0.3),
            ["linear, wide, spectral"] = () => NewLinear(3, 7, Normalisation.Spectral(0.7), 3),
            ["linear, not normalised"] = () => NewLinear(4, 4, Normalisation.None, 2),
            ["linear, 1 to 1"] = () => NewLinear(4, 3, Normalisation.Induced(1, 1, 0.8), 3),
            ["linear, 1 to 2"] = () => NewLinear(4, 3, Normalisation.Induced(1, 2, 0.8), 3),
            ["linear, 1 to infinity"] = () => NewLinear(4, 3, Normalisation.Induced(1, Infinity, 0.8), 3),
            ["linear, 2 to infinity"] = () => NewLinear(4, 3, Normalisation.Induced(2, Infinity, 0.8), 3),
            ["linear, infinity to infinity"] = () => NewLinear(4, 3, Normalisation.Induced(Infinity, Infinity, 0.8), 3),
            ["linear, 1 to 1 below the coefficient"] = () => NewLinear(4, 3, Normalisation.Induced(1, 1, 0.8), 0.1),
            ["sequential, residual branch"] = () => new Sequential(
                NewActivation(Activation.LipSwish, 3, "0"), NewLinear(3, 6, Normalisation.Spectral(0.9), 3, "0"),
                NewActivation(Activation.LipSwish, 6, "1"), NewLinear(6, 3, Normalisation.Spectral(0.9), 1, "1")),
            ["sequential, doubling activation"] = () => new Sequential(
                NewLinear(3, 4, Normalisation.Spectral(0.9), 3, "0"), NewActivation(Activation.CLipSwish, 4, "0"),
                NewLinear(8, 3, Normalisation.Induced(Infinity, Infinity, 0.9), 2, "1")),
            ["sequential of one"] = () => new Sequential(NewActivation(Activation.MaxMin, 4, "0")),
            ["sequential with networks inside"] = () => new Sequential(
                NewNet(3, 1, 4, Activation.Tanh, learnable: true, "a"), NewLayer(3, 4, Activation.Elu, learnable: true, "b"),
                NewLinear(7, 2, Normalisation.Spectral(0.9), 2, "c")),
            ["ActNorm of channels"] = () => new ActNormLayer(s_backend, "norm", 3, 2),
            ["ActNorm of columns"] = () => new ActNormLayer(s_backend, "norm", 1, 5),
            ["average over pixels"] = () => new AveragePool(s_backend, 3, 2),
            ["sequential, ActNorm and pool"] = () => new Sequential(
                NewLinear(4, 6, Normalisation.None, 2, "0"), new ActNormLayer(s_backend, "norm", 3, 2), NewActivation(Activation.ReLU, 6, "1"),
                new AveragePool(s_backend, 3, 2)),
            ["dense net without dense layers"] = () => NewNet(3, 0, 4, Activation.Tanh, learnable: true),
        };
        foreach (Activation f in Enum.GetValues<Activation>())
        {
            layers[$"activation {f}"] = () => NewActivation(f, 4, "0");
        }

        foreach (bool learnable in new[] { false, true })
        {
            string kind = learnable ? "learnable" : "fixed";
            layers[$"dense layer, {kind}, LipSwish"] = () => NewLayer(3, 5, Activation.LipSwish, learnable);
            layers[$"dense layer, {kind}, CLipSwish"] = () => NewLayer(3, 4, Activation.CLipSwish, learnable);
            foreach (Activation f in new[] { Activation.LipSwish, Activation.CLipSwish, Activation.MaxMin, Activation.LeakyLSwish, Activation.ReLU })
            {
                layers[$"dense net, {kind}, {f}"] = () => NewNet(3, 2, 4, f, learnable);
            }
        }

        layers["dense layer, learnable, MaxMin"] = () => NewLayer(3, 4, Activation.MaxMin, learnable: true);
        layers["dense net, learnable, deep"] = () => NewNet(2, 4, 3, Activation.LipSwish, learnable: true);
        layers["activation CLipSwish, pixel by pixel"] = () => new ActivationLayer(s_backend, "0", Activation.CLipSwish, 2, 3);
        layers["activation MaxMin, pixel by pixel"] = () => new ActivationLayer(s_backend, "0", Activation.MaxMin, 2, 3);
        layers["convolution"] = () => NewConvolution(new ImageShape(3, 4, 2), 3, 3, 0.5);
        layers["convolution below the coefficient"] = () => NewConvolution(new ImageShape(3, 2, 2), 2, 3, 10);
        layers["convolution, more inputs, 5 x 5 on less"] = () => NewConvolution(new ImageShape(2, 3, 3), 1, 5, 0.4);
        layers["convolution, 1 x 1"] = () => NewConvolution(new ImageShape(2, 2, 3), 2, 1, 0.2);
        layers["convolution of one pixel"] = () => NewConvolution(new ImageShape(1, 1, 3), 2, 3, 0.2);
        foreach (Activation f in new[] { Activation.LipSwish, Activation.CLipSwish, Activation.MaxMin })
        {
            layers[$"dense net of convolutions, {f}"] = () => NewPictureNet(new ImageShape(2, 3, 2), 2, 2, f, learnable: true);
        }

        layers["dense net of convolutions, fixed, narrower output"] = () => NewPictureNet(new ImageShape(2, 2, 2), 1, 1, Activation.LipSwish, learnable: false);
        layers["dense net of convolutions without dense layers"] = () => NewPictureNet(new ImageShape(2, 2, 2), 2, 0, Activation.Tanh, learnable: true);
        layers["dense net, wider output"] = () => new DenseNet(
            s_backend, "net", new ImageShape(1, 1, 3), 5, 1, 2, 4, Activation.LipSwish, true, 0.98, Normalisation.Spectral(0.3), Key("net"));
        layers["sequential, residual branch of convolutions"] = () => new Sequential(
            NewConvolution(new ImageShape(2, 2, 2), 4, 3, 0.5, "0"), new ActivationLayer(s_backend, "1", Activation.CLipSwish, 4, 4),
            NewConvolution(new ImageShape(2, 2, 8), 3, 1, 0.5, "1"), new ActivationLayer(s_backend, "2", Activation.LipSwish, 3, 4),
            NewConvolution(new ImageShape(2, 2, 3), 2, 3, 0.5, "2"));
        layers["dense net, learnable, 1 to 1"] = () => new DenseNet(
            s_backend, "net", 3, 2, 4, Activation.LipSwish, true, 0.98, Normalisation.Induced(1, 1, 0.9), Key("net"));
        return layers;
    }

    private static RandomKey Key(string name) => new(7, RandomPurpose.Test, 0, (uint)name.Sum(letter => letter));

    private static Linear NewLinear(int inputs, int outputs, Normalisation normalisation, double scale, string name = "linear") =>
        new(s_backend, name, inputs, outputs, normalisation, Key(name), scale);

    private static Convolution NewConvolution(ImageShape input, int outputs, int kernel, double coefficient, string name = "convolution") =>
        new(s_backend, name, input, outputs, kernel, Normalisation.Spectral(coefficient), Key(name));

    private static DenseNet NewPictureNet(ImageShape input, int outputs, int depth, Activation f, bool learnable) => new(
        s_backend, "net", input, outputs, 3, depth, 4, f, learnable, 0.98, Normalisation.Spectral(0.6), Key("net"));

    private static ActivationLayer NewActivation(Activation f, int width, string name) => new(s_backend, name, f, width);

    private static DenseLayer NewLayer(int width, int growth, Activation f, bool learnable, string name = "dense") =>
        new(s_backend, name, width, growth, f, learnable, 0.98, Normalisation.Spectral(0.9), Key(name));

    private static DenseNet NewNet(int width, int depth, int growth, Activation f, bool learnable, string name = "net") =>
        new(s_backend, name, width, depth, growth, f, learnable, 0.98, Normalisation.Spectral(0.9), Key(name));
}
