using Lipschitz.Tensors;

namespace Lipschitz.Data;

/// <summary>Pictures of one shape, a byte a number, with or without a label each; never changes.</summary>
public sealed class PictureSet
{
    /// <summary>The most bytes of pixels in one set, 1 GiB: seven times CIFAR-10.</summary>
    public const int MostBytes = 1 << 30;

    private readonly byte[] _pixels;
    private readonly byte[]? _labels;

    /// <summary>Copies pictures.</summary>
    /// <param name="shape">The shape of each.</param>
    /// <param name="pixels">Pictures one after the other, each row by row, the channels of a pixel side by side.</param>
    /// <param name="labels">The class of each picture, below <paramref name="classes"/>; empty for none.</param>
    /// <param name="classes">The number of classes, at most 256; 0 for none.</param>
    /// <exception cref="ArgumentException">The lengths do not fit, there is no picture, or a label is no class.</exception>
    public PictureSet(ImageShape shape, ReadOnlySpan<byte> pixels, ReadOnlySpan<byte> labels = default, int classes = 0)
        : this(shape, pixels.ToArray(), classes == 0 && labels.IsEmpty ? null : labels.ToArray(), classes)
    {
    }

    private PictureSet(ImageShape shape, byte[] pixels, byte[]? labels, int classes)
    {
        if (shape.Height <= 0 || shape.Width <= 0 || shape.Channels <= 0)
        {
            throw new ArgumentException($"A picture of shape {shape} has no pixels.", nameof(shape));
        }

        if (pixels.Length == 0 || pixels.Length % shape.Count != 0)
        {
            throw new ArgumentException($"{pixels.Length} bytes are no whole number of pictures of shape {shape}.", nameof(pixels));
        }

        (Shape, Count, Classes) = (shape, pixels.Length / shape.Count, classes);
        if (classes is < 0 or > 256 || (labels is null) != (classes == 0) || (labels is not null && labels.Length != Count))
        {
            throw new ArgumentException($"{labels?.Length ?? 0} labels of {classes} classes for {Count} pictures.", nameof(labels));
        }

        int wrong = labels is null ? -1 : labels.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(classes - 1));
        if (wrong >= 0)
        {
            throw new ArgumentException($"Label {labels![wrong]} of picture {wrong} is not in 0..{classes - 1}.", nameof(labels));
        }

        (_pixels, _labels) = (pixels, labels);
    }

    /// <summary>The shape of every picture.</summary>
    public ImageShape Shape { get; }

    /// <summary>How many pictures.</summary>
    public int Count { get; }

    /// <summary>How many classes the labels tell apart; 0 where there are no labels.</summary>
    public int Classes { get; }

    /// <summary>A set that keeps the arrays given; nobody else may write to them.</summary>
    /// <exception cref="ArgumentException">As from the constructor.</exception>
    internal static PictureSet Of(ImageShape shape, byte[] pixels, byte[]? labels = null, int classes = 0) =>
        new(shape, pixels, labels, classes);

    /// <summary>The bytes of picture <paramref name="index"/>, row by row, channels last.</summary>
    public ReadOnlySpan<byte> Picture(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return _pixels.AsSpan(index * Shape.Count, Shape.Count);
    }

    /// <summary>The class of picture <paramref name="index"/>.</summary>
    /// <exception cref="InvalidOperationException">There are no labels.</exception>
    public int Label(int index) =>
        _labels is not null ? _labels[index] : throw new InvalidOperationException("These pictures have no labels.");

    /// <summary>The pictures resized to <paramref name="size"/> x <paramref name="size"/>, see <see cref="BilinearResize"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive, or the set would exceed <see cref="MostBytes"/>.</exception>
    public PictureSet Resized(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((double)size * size * Shape.Channels * Count, MostBytes, nameof(size));
        if ((Shape.Height, Shape.Width) == (size, size))
        {
            return this;
        }

        var resize = new BilinearResize(Shape, size, size);
        byte[] pixels = new byte[Count * resize.Target.Count];
        for (int i = 0; i < Count; i++)
        {
            resize.Apply(Picture(i), pixels.AsSpan(i * resize.Target.Count, resize.Target.Count));
        }

        return new PictureSet(resize.Target, pixels, _labels, Classes);
    }
}
