using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Models;

/// <summary>
/// The bijections of a flow on pictures, as in Chen et al. 2019 (appendix C) and Perugachi-Diaz et al. 2020 (appendix): logit; ActNorm; at each scale
/// convolutional blocks, each followed by an ActNorm; squeezes between scales; fully connected blocks on all features at the end.
/// </summary>
internal static class ImageFlow
{
    private const int Kernel = 3;

    // Layer i of a dense net draws with Step i; the linear layer before it with one that no dense net reaches.
    private const uint FirstLayerStep = 1000;

    public static List<IBijection> Create(Configuration configuration, ImageSettings image, int width, IBackend backend)
    {
        ImageShape shape = image.Shape;
        if (shape.Count != width)
        {
            throw new ConfigurationException($"model.image is for pictures of {shape}, {shape.Count} numbers each, but the data has {width}.");
        }

        ThrowUnlessScalesFit(image);
        ModelSettings model = configuration.Model;
        var bijections = new List<IBijection> { new LogitTransform(backend, "preprocess", width, image.Logit) };
        int squeezes = 0, blocks = 0, norms = 0;

        void AddSqueeze()
        {
            bijections.Add(new Squeeze(backend, $"squeezes.{squeezes++}", shape));
            shape = shape.Squeezed;
        }

        void AddNorm(int channels, int pixels)
        {
            if (model.ActNorm)
            {
                bijections.Add(new ActNorm(backend, $"norms.{norms}", channels, pixels));
            }

            norms++;
        }

        for (int i = 0; i < image.FirstSqueezes; i++)
        {
            AddSqueeze();
        }

        AddNorm(shape.Channels, shape.Pixels);
        for (int scale = 0; scale < image.Blocks.Length; scale++)
        {
            if (scale > 0)
            {
                AddSqueeze();
                if (image.FactorOut)
                {
                    var split = new ChannelSplit(backend, $"splits.{scale - 1}", shape);
                    bijections.Add(split);
                    shape = split.Kept;
                }
            }

            for (int i = 0; i < image.Blocks[scale]; i++)
            {
                (string name, RandomKey key) = Next(configuration, blocks++);
                bijections.Add(new ResidualBlock(backend, name, Convolutional(model, name, shape, blocks == 1, backend, key)));
                AddNorm(shape.Channels, shape.Pixels);
            }
        }

        for (int i = 0; i < image.FullyConnected; i++)
        {
            (string name, RandomKey key) = Next(configuration, blocks++);
            bijections.Add(new ResidualBlock(backend, name, FullyConnected(model, image, name, shape.Count, backend, key)));
            AddNorm(shape.Count, 1);
        }

        return bijections;
    }

    private static (string Name, RandomKey Key) Next(Configuration configuration, int block) =>
        ($"blocks.{block}", new RandomKey(configuration.Seed, RandomPurpose.Initialisation, 0, (uint)block));

    private static ILayer Convolutional(
        ModelSettings model, string name, ImageShape shape, bool isFirst, IBackend backend, RandomKey key)
    {
        Normalisation normalisation = Normalisation.Spectral(model.Coefficient);
        if (model.Branch == BranchKind.DenseNet)
        {
            return new DenseNet(
                backend, name, shape, shape.Channels, Kernel, model.Depth, model.Growth, model.Activation,
                model.Concatenation == ConcatenationKind.Learnable, model.ConcatenationBound, normalisation, key);
        }

        // 3 x 3 at both ends, 1 x 1 between; the very first block has no activation at its start.
        var layers = new List<ILayer>();
        ImageShape input = shape;
        int[] outputs = [.. model.Hidden, shape.Channels];
        for (int i = 0; i < outputs.Length; i++)
        {
            string layer = $"{name}.layers.{i}";
            if (i > 0 || !isFirst)
            {
                layers.Add(new ActivationLayer(backend, layer, model.Activation, input.Channels, input.Pixels));
                input = input with { Channels = model.Activation.OutputColumns(input.Channels) };
            }

            int kernel = i == 0 || i == outputs.Length - 1 ? Kernel : 1;
            layers.Add(new Convolution(backend, layer, input, outputs[i], kernel, normalisation, key with { Step = (uint)i }));
            input = input with { Channels = outputs[i] };
        }

        return new Sequential(layers);
    }

    private static Sequential FullyConnected(
        ModelSettings model, ImageSettings image, string name, int width, IBackend backend, RandomKey key)
    {
        Normalisation normalisation = Normalisation.Spectral(model.Coefficient);
        return model.Branch == BranchKind.DenseNet
            ? new Sequential(
                new Linear(
                    backend, $"{name}.first", width, image.FullyConnectedWidth, normalisation, key with { Step = FirstLayerStep }),
                new DenseNet(
                    backend, name, new ImageShape(1, 1, image.FullyConnectedWidth), width, 1, image.FullyConnectedDepth,
                    image.FullyConnectedGrowth, model.Activation, model.Concatenation == ConcatenationKind.Learnable,
                    model.ConcatenationBound, normalisation, key))
            : FlowFactory.Residual(backend, name, width, image.FullyConnectedHidden, model.Activation, normalisation, key, 1);
    }

    private static void ThrowUnlessScalesFit(ImageSettings image)
    {
        int squeezes = image.FirstSqueezes + image.Blocks.Length - 1, factor = 1 << Math.Min(squeezes, 30);
        if (image.Height % factor != 0 || image.Width % factor != 0)
        {
            throw new ConfigurationException(
                $"model.image: {squeezes} squeezes need height and width to be multiples of {factor}, not {image.Height} x {image.Width};"
                + " use fewer scales in model.image.blocks or another pictures.size.");
        }
    }
}
