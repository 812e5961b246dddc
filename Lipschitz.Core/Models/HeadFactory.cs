using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Models;

/// <summary>Puts a classification head on a flow of pictures: behind the squeeze after each scale, and behind the last bijection.</summary>
internal static class HeadFactory
{
    // Blocks draw their weights with their number as index, so the head's numbers begin far above.
    private const uint FirstIndex = 100_000;

    /// <exception cref="ConfigurationException">The model is not one of pictures.</exception>
    public static ClassificationHead Create(Configuration configuration, TaskSettings task, IReadOnlyList<IBijection> bijections, IBackend backend)
    {
        ImageSettings image = configuration.Model.Image
            ?? throw new ConfigurationException($"task.kind {task.Kind} needs a model of pictures; this one is for points.");
        if (task.Classes < 2)
        {
            throw new ConfigurationException($"task.classes must be at least 2, not {task.Classes}: the data has no labels.");
        }

        ImageShape shape = image.Shape;
        int squeezes = 0;
        var scales = new List<HeadScale>();
        for (int i = 0; i < bijections.Count; i++)
        {
            if (bijections[i] is Squeeze squeeze)
            {
                shape = squeeze.Input.Squeezed;
                if (squeezes++ >= image.FirstSqueezes)
                {
                    Add(i);
                }
            }

            shape = bijections[i] is ChannelSplit split ? split.Kept : shape;
        }

        Add(bijections.Count - 1);
        var classifier = new Linear(
            backend, "head.classifier", scales.Sum(scale => scale.Features.OutputWidth), task.Classes, Normalisation.None, Key(scales.Count));
        return new ClassificationHead(backend, scales, classifier);

        void Add(int bijection) => scales.Add(
            new HeadScale(backend, $"head.scales.{scales.Count}", bijection, shape, task.HeadChannels, Key(scales.Count)));

        RandomKey Key(int part) => new(configuration.Seed, RandomPurpose.Initialisation, 0, FirstIndex + (uint)part);
    }
}
