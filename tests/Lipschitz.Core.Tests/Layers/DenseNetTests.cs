using Lipschitz.Backends;
using Lipschitz.Core.Tests.Backends;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using static Lipschitz.Core.Tests.Backends.Differences;

namespace Lipschitz.Core.Tests.Layers;

/// <summary>The folded network against the same network written layer by layer.</summary>
public class DenseNetTests
{
    private const int Width = 3;
    private const int Depth = 3;
    private const int Growth = 4;
    private const int Rows = 4;
    private static readonly Normalisation s_normalisation = Normalisation.Spectral(0.9);

    [Theory]
    [InlineData(Activation.LipSwish, false)]
    [InlineData(Activation.LipSwish, true)]
    [InlineData(Activation.CLipSwish, true)]
    [InlineData(Activation.MaxMin, true)]
    [InlineData(Activation.LeakyLSwish, true)]
    public void A_dense_net_equals_its_dense_layers_in_sequence(Activation activation, bool learnable)
    {
        var net = new LayerProbe(new DenseNet(
            LayerTable.Backend, "net", Width, Depth, Growth, activation, learnable, 0.98, s_normalisation, new RandomKey(1, RandomPurpose.Test)));
        LayerProbe chain = Chain(activation, learnable, net.Layer);
        var random = new Random(2);
        double[] x = Normal(random, Rows * Width), t = Normal(random, 2 * Rows * Width), w = Normal(random, 2 * Rows * Width);
        double[] stacked = [.. x, .. t];
        Close(chain.Evaluate(stacked, Rows), net.Evaluate(stacked, Rows));
        Close(chain.Vjp(x, w), net.Vjp(x, w));
        Close(chain.Jvp(x, t), net.Jvp(x, t));
        Close(chain.Layer.LipschitzEstimate, net.Layer.LipschitzEstimate);
        foreach (double p in new[] { 1, 1.5, 2, double.PositiveInfinity })
        {
            Close(chain.Layer.Bound(p), net.Layer.Bound(p));
        }

        (double[] input, double[] gradient) = net.Backward(stacked, Rows, w);
        (double[] chainInput, double[] chainGradient) = chain.Backward(stacked, Rows, w);
        Close(chainInput, input);
        foreach (Parameter parameter in chain.Trained.Parameters)
        {
            (Parameter same, int start) = Counterpart(parameter, net.Layer);
            Close(
                chainGradient[parameter.Offset..(parameter.Offset + parameter.Value.Count)],
                gradient[(same.Offset + start)..(same.Offset + start + parameter.Value.Count)]);
        }
    }

    private static LayerProbe Chain(Activation activation, bool learnable, ILayer net)
    {
        int slice = activation.OutputColumns(Growth);
        var layers = new List<ILayer>();
        for (int i = 0; i < Depth; i++)
        {
            layers.Add(new DenseLayer(
                LayerTable.Backend, $"net.layers.{i}", Width + (i * slice), Growth, activation, learnable, 0.98, s_normalisation,
                new RandomKey(2, RandomPurpose.Test)));
        }

        layers.Add(new Linear(
            LayerTable.Backend, "net.final", Width + (Depth * slice), Width, s_normalisation, new RandomKey(3, RandomPurpose.Test)));
        var chain = new LayerProbe(new Sequential(layers));
        foreach (Parameter parameter in chain.Layer.Parameters)
        {
            (Parameter same, int start) = Counterpart(parameter, net);
            LayerTable.Backend.Upload(same.Value.Read().AsSpan(start, parameter.Value.Count), parameter.Value);
        }

        chain.Layer.Prepare();
        return chain;
    }

    // All K of a network are one parameter, row i for layer i.
    private static (Parameter Same, int Start) Counterpart(Parameter parameter, ILayer net)
    {
        if (parameter.Role != ParameterRole.Concatenation)
        {
            return (net.Parameters.Single(p => p.Name == parameter.Name), 0);
        }

        int layer = int.Parse(parameter.Name.Split('.')[2], System.Globalization.CultureInfo.InvariantCulture);
        return (net.Parameters.Single(p => p.Role == ParameterRole.Concatenation), 2 * layer);
    }
}
