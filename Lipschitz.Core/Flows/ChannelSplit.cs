using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>
/// Sorts the numbers of a picture by channel halves: first the pixels with the first half of the channels, then those with the second, so that
/// bijections of half the width go on with the first half and the second leaves (Dinh et al. 2017, factoring out).
/// </summary>
public sealed class ChannelSplit : Rearrangement
{
    private readonly IBackend _backend;

    /// <summary>Makes the map of pictures of a shape.</summary>
    /// <exception cref="ShapeMismatchException">The number of channels is odd.</exception>
    public ChannelSplit(IBackend backend, string name, ImageShape input)
        : base(name, input.Count)
    {
        if (input.Channels % 2 != 0)
        {
            throw new ShapeMismatchException($"{name}: {input.Channels} channels have no half to leave; squeeze first.");
        }

        (_backend, Input) = (backend, input);
    }

    /// <summary>The shape of x.</summary>
    public ImageShape Input { get; }

    /// <summary>The shape of the half that goes on.</summary>
    public ImageShape Kept => Input with { Channels = Input.Channels / 2 };

    /// <inheritdoc/>
    protected override void Move(Tensor x, Tensor y)
    {
        for (int i = 0; i < 2 * x.Rows; i++)
        {
            _backend.Copy(Pixels(x, i / 2, i % 2), Half(y, i / 2, i % 2));
        }
    }

    /// <inheritdoc/>
    protected override void MoveBack(Tensor y, Tensor x)
    {
        for (int i = 0; i < 2 * x.Rows; i++)
        {
            _backend.Copy(Half(y, i / 2, i % 2), Pixels(x, i / 2, i % 2));
        }
    }

    // Half of the channels of one picture, [pixels, channels / 2], in x and in y.
    private Tensor Pixels(Tensor x, int picture, int half) =>
        Input.ByPixel(x.RowRange(picture, 1)).ColumnRange(half * Kept.Channels, Kept.Channels);

    private Tensor Half(Tensor y, int picture, int half) =>
        y.RowRange(picture, 1).ColumnRange(half * Kept.Count, Kept.Count).Reshape(Input.Pixels, Kept.Channels);
}
