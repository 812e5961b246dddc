namespace Lipschitz.Data;

/// <summary>Pictures to train on and pictures held out.</summary>
public sealed record PictureSplit
{
    /// <summary>Puts the two together.</summary>
    /// <exception cref="ArgumentException">They differ in shape or in the number of classes.</exception>
    public PictureSplit(PictureSet training, PictureSet test)
    {
        if (training.Shape != test.Shape || training.Classes != test.Classes)
        {
            throw new ArgumentException(
                $"Training pictures are {training.Shape} of {training.Classes} classes, test pictures {test.Shape} of {test.Classes}.",
                nameof(test));
        }

        (Training, Test) = (training, test);
    }

    /// <summary>What may be trained on.</summary>
    public PictureSet Training { get; }

    /// <summary>What is held out.</summary>
    public PictureSet Test { get; }

    /// <summary>Both resized to <paramref name="size"/> x <paramref name="size"/>; 0 for as they are.</summary>
    /// <exception cref="ArgumentOutOfRangeException">As from <see cref="PictureSet.Resized"/>.</exception>
    public PictureSplit Resized(int size) => size == 0 ? this : new(Training.Resized(size), Test.Resized(size));
}
