using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

/// <summary>As <see cref="TinyRun"/>, of pictures of three classes.</summary>
internal static class TinyPictures
{
    public const int Batch = 6;

    public static ImageShape Shape { get; } = new(4, 4, 1);

    public static Configuration Configure(TaskKind? kind, bool factorOut) => TinyRun.Configuration with
    {
        Pictures = new PictureSettings(),
        Task = kind is { } task ? new TaskSettings { Kind = task, Weight = 0.25, Classes = 3, HeadChannels = 5 } : null,
        Model = new ModelSettings
        {
            Branch = BranchKind.DenseNet,
            Blocks = 1,
            Depth = 1,
            Growth = 3,
            Concatenation = ConcatenationKind.Learnable,
            ActNorm = true,
            Image = new ImageSettings
            {
                Shape = Shape,
                Blocks = [1, 1],
                FactorOut = factorOut,
                FullyConnected = 1,
                FullyConnectedWidth = 3,
                FullyConnectedDepth = 1,
                FullyConnectedGrowth = 2,
            },
        },
        LogDet = new LogDetSettings { Method = LogDetMethod.Exact },
        Training = TinyRun.Configuration.Training with { Batch = Batch, Clip = 0, HoldConcatenation = 0, WarmupSteps = 0 },
        Evaluation = TinyRun.Configuration.Evaluation with { Points = 60 },
    };

    public static Trainer Create(Configuration configuration, Precision precision) => new(configuration, ReferenceBackend.Create(precision), Data(configuration.Training.Batch));

    public static PictureSource Data(int batch = Batch) => new(Pictures(labelled: true), batch);

    // The class of a picture is the row of its brightest pixels.
    public static PictureSplit Pictures(bool labelled)
    {
        PictureSet Set(int count, int seed)
        {
            var random = new Random(seed);
            var pixels = new byte[count * Shape.Count];
            random.NextBytes(pixels);
            var labels = new byte[count];
            for (int i = 0; i < count; i++)
            {
                labels[i] = (byte)random.Next(3);
                foreach (ref byte pixel in pixels.AsSpan(i * Shape.Count, Shape.Count))
                {
                    pixel &= 0x3F;
                }

                foreach (ref byte pixel in pixels.AsSpan((i * Shape.Count) + (labels[i] * Shape.Width), Shape.Width))
                {
                    pixel |= 0xC0;
                }
            }

            return labelled ? new PictureSet(Shape, pixels, labels, 3) : new PictureSet(Shape, pixels);
        }

        return new PictureSplit(Set(90, 1), Set(60, 2));
    }
}
