namespace Lipschitz.Tensors;

/// <summary>
/// The shape of a picture: height, width and channels. A batch of B pictures is [B, Count] with pixels row by row and the channels of a
/// pixel side by side, which read as [B Pixels, Channels] is the same memory.
/// </summary>
/// <param name="Height">Rows of pixels.</param>
/// <param name="Width">Pixels of a row.</param>
/// <param name="Channels">Numbers of a pixel.</param>
public readonly record struct ImageShape(int Height, int Width, int Channels)
{
    /// <summary>Height times width.</summary>
    public int Pixels => Height * Width;

    /// <summary>The numbers of a picture.</summary>
    public int Count => Height * Width * Channels;

    /// <summary>The shape after 2 x 2 pixels became one of four times the channels.</summary>
    /// <exception cref="ShapeMismatchException">Height or width is odd.</exception>
    public ImageShape Squeezed => Height % 2 == 0 && Width % 2 == 0
        ? new(Height / 2, Width / 2, 4 * Channels)
        : throw new ShapeMismatchException($"A picture of {Height} x {Width} pixels cannot be squeezed: both must be even.");

    /// <summary>A batch [B, Count] read pixel by pixel, [B Pixels, Channels].</summary>
    public Tensor ByPixel(Tensor batch) => batch.Reshape(batch.Count / Channels, Channels);

    /// <inheritdoc/>
    public override string ToString() => $"{Height}x{Width}x{Channels}";
}
