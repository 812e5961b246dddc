using Lipschitz.Checkpoints;
using Lipschitz.Tensors;
using SkiaSharp;

namespace Lipschitz.Cli;

/// <summary>Draws pictures side by side into a .png file, for people to look at.</summary>
internal static class PictureGrid
{
    private const int Gap = 1; // pixels of a picture between two
    private const int SmallestSide = 64; // pixels of the file that a picture takes at least
    private const int LargestSide = 16_384; // of the file
    private static readonly SKColor s_background = SKColors.White;

    /// <summary>Writes a grid of pictures; the file appears whole or not at all.</summary>
    /// <param name="path">The .png file.</param>
    /// <param name="pictures">Pictures one after the other, row by row, channels last; 0 is black and 1 white, anything beyond is cut off.</param>
    /// <param name="shape">The shape of each, of 1 (grey) or 3 (red, green, blue) channels.</param>
    /// <param name="columns">Pictures side by side, at most.</param>
    /// <exception cref="ArgumentException">There is no whole number of pictures, or they have other channels or too many pixels.</exception>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<double> pictures, ImageShape shape, int columns)
    {
        byte[] png = Encode(pictures, shape, columns);
        OutputException.Guard(path, () => AtomicFile.Write(path, stream => stream.Write(png)));
    }

    /// <summary>How many pictures of a shape go side by side: those wanted, or fewer wide ones.</summary>
    public static int Columns(ImageShape shape, int wanted) => Math.Clamp((LargestSide - Gap) / (shape.Width + Gap), 1, wanted);

    /// <summary>Whether a grid is not too large for a file.</summary>
    public static bool Fits(int count, ImageShape shape, int columns)
    {
        (long width, long height) = Size(count, shape, columns);
        return Math.Max(width, height) <= LargestSide;
    }

    /// <summary>The bytes of the .png file.</summary>
    /// <inheritdoc cref="Write" path="/param"/>
    /// <exception cref="ArgumentException">As from <see cref="Write"/>.</exception>
    public static byte[] Encode(ReadOnlySpan<double> pictures, ImageShape shape, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        if (shape.Channels is not (1 or 3))
        {
            throw new ArgumentException($"Pictures of {shape.Channels} channels cannot be drawn, only of 1 or 3.", nameof(shape));
        }

        int count = pictures.Length / shape.Count;
        if (count == 0 || pictures.Length % shape.Count != 0)
        {
            throw new ArgumentException($"{pictures.Length} numbers are no whole number of pictures of shape {shape}.", nameof(pictures));
        }

        columns = Math.Min(columns, count);
        int zoom = Math.Max(1, SmallestSide / Math.Max(shape.Height, shape.Width)); // whole, so that pixels stay squares
        (long width, long height) = Size(count, shape, columns);
        if (!Fits(count, shape, columns))
        {
            throw new ArgumentException($"{count} pictures of shape {shape} in {columns} columns are {width} x {height} pixels, too many.", nameof(pictures));
        }

        zoom = (int)Math.Min(zoom, LargestSide / Math.Max(width, height));
        using var bitmap = new SKBitmap(new SKImageInfo((int)width * zoom, (int)height * zoom, SKColorType.Rgba8888, SKAlphaType.Opaque));
        bitmap.Erase(s_background);
        for (int i = 0; i < count; i++)
        {
            int left = (i % columns * (shape.Width + Gap)) + Gap, top = (i / columns * (shape.Height + Gap)) + Gap;
            Draw(bitmap, pictures.Slice(i * shape.Count, shape.Count), shape, left * zoom, top * zoom, zoom);
        }

        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    // In pixels of pictures.
    private static (long Width, long Height) Size(int count, ImageShape shape, int columns)
    {
        long rows = ((long)count + columns - 1) / columns;
        return (((shape.Width + Gap) * (long)columns) + Gap, ((shape.Height + Gap) * rows) + Gap);
    }

    private static void Draw(SKBitmap bitmap, ReadOnlySpan<double> picture, ImageShape shape, int left, int top, int zoom)
    {
        Span<byte> bytes = bitmap.GetPixelSpan();
        for (int y = 0; y < shape.Height * zoom; y++)
        {
            Span<byte> row = bytes[((top + y) * bitmap.RowBytes)..];
            for (int x = 0; x < shape.Width * zoom; x++)
            {
                ReadOnlySpan<double> pixel = picture.Slice(((y / zoom * shape.Width) + (x / zoom)) * shape.Channels, shape.Channels);
                Span<byte> target = row.Slice(4 * (left + x), 3);
                for (int c = 0; c < target.Length; c++)
                {
                    target[c] = Shade(pixel[c % shape.Channels]);
                }
            }
        }
    }

    // The byte whose interval of dequantisation holds the value; what is not a number is black.
    private static byte Shade(double value) => double.IsNaN(value) ? (byte)0 : (byte)Math.Clamp(256 * value, 0, 255);
}
