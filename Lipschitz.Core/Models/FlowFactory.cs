using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Randomness;

namespace Lipschitz.Models;

/// <summary>Makes flows from configurations.</summary>
public static class FlowFactory
{
    // The reference starts the last weight of a Residual Flow branch on points a thousand times smaller, so that blocks begin near the identity.
    private const double LastScale = 1e-3;

    /// <summary>A freshly initialised flow; the same configuration and seed give the same numbers.</summary>
    /// <param name="configuration">The architecture and the seed.</param>
    /// <param name="width">Columns of a point, or the numbers of a picture.</param>
    /// <param name="backend">Where the flow lives.</param>
    /// <exception cref="ConfigurationException">The model is one of pictures of another shape, or its scales do not fit the shape.</exception>
    public static Flow Create(Configuration configuration, int width, IBackend backend)
    {
        ModelSettings model = configuration.Model;
        if (model.Image is { } image)
        {
            List<IBijection> ofPictures = ImageFlow.Create(configuration, image, width, backend);
            return new Flow(backend, ofPictures, Head(configuration, ofPictures, backend));
        }

        var bijections = new List<IBijection>();
        if (model.ActNorm)
        {
            bijections.Add(new ActNorm(backend, "norms.0", width));
        }

        for (int b = 0; b < model.Blocks; b++)
        {
            var key = new RandomKey(configuration.Seed, RandomPurpose.Initialisation, 0, (uint)b);
            string name = $"blocks.{b}";
            bijections.Add(new ResidualBlock(backend, name, Branch(model, name, width, backend, key)));
            if (model.ActNorm)
            {
                bijections.Add(new ActNorm(backend, $"norms.{b + 1}", width));
            }
        }

        return new Flow(backend, bijections, Head(configuration, bijections, backend));
    }

    private static ClassificationHead? Head(Configuration configuration, IReadOnlyList<IBijection> bijections, IBackend backend) =>
        configuration.Task is { } task ? HeadFactory.Create(configuration, task, bijections, backend) : null;

    private static ILayer Branch(ModelSettings model, string name, int width, IBackend backend, RandomKey key)
    {
        Normalisation normalisation = Normalisation.Spectral(model.Coefficient);
        return model.Branch == BranchKind.DenseNet
            ? new DenseNet(
                backend, name, width, model.Depth, model.Growth, model.Activation, model.Concatenation == ConcatenationKind.Learnable,
                model.ConcatenationBound, normalisation, key)
            : Residual(backend, name, width, model.Hidden, model.Activation, normalisation, key, LastScale);
    }

    /// <summary>An activation before each of the linear layers width -> hidden.. -> width.</summary>
    internal static Sequential Residual(
        IBackend backend, string name, int width, int[] hidden, Activation f, Normalisation normalisation, RandomKey key, double lastScale)
    {
        var layers = new List<ILayer>();
        int inputs = width;
        int[] outputs = [.. hidden, width];
        for (int i = 0; i < outputs.Length; i++)
        {
            var activation = new ActivationLayer(backend, $"{name}.layers.{i}", f, inputs);
            bool last = i == outputs.Length - 1;
            layers.Add(activation);
            layers.Add(new Linear(
                backend, $"{name}.layers.{i}", activation.OutputWidth, outputs[i], normalisation, key with { Step = (uint)i },
                last ? lastScale : 1));
            inputs = outputs[i];
        }

        return new Sequential(layers);
    }
}
