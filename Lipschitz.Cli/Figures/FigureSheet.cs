using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>Plots side by side and below each other in one picture.</summary>
internal static class FigureSheet
{
    private const int LeastBits = 5;

    /// <summary>Draws rows of plots of one size.</summary>
    /// <param name="rows">The plots; a row may be shorter than the others.</param>
    /// <param name="width">Pixels of a plot.</param>
    /// <param name="height">Pixels of a plot.</param>
    /// <param name="mostBytes">
    /// A size that the file should not pass: colours are coarsened for it, down to 5 bits each, which makes the file of a smooth map much smaller.
    /// </param>
    /// <returns>A .png file.</returns>
    public static byte[] Png(IReadOnlyList<IReadOnlyList<Plot>> rows, int width, int height, int mostBytes = int.MaxValue)
    {
        using var picture = new SkiaSharp.SKBitmap(new SkiaSharp.SKImageInfo(
            width * rows.Max(row => row.Count), height * rows.Count, SkiaSharp.SKColorType.Rgba8888, SkiaSharp.SKAlphaType.Opaque));
        using var surface = SkiaSharp.SKSurface.Create(picture.Info, picture.GetPixels());
        surface.Canvas.Clear(SkiaSharp.SKColors.White);
        for (int row = 0; row < rows.Count; row++)
        {
            for (int column = 0; column < rows[row].Count; column++)
            {
                Draw(surface, rows[row][column], column * width, row * height, width, height);
            }
        }

        surface.Flush();
        byte[] png = Encode(picture);
        for (int bits = 7; bits >= LeastBits && png.Length > mostBytes; bits--)
        {
            Coarsen(picture.GetPixelSpan(), bits);
            png = Encode(picture);
        }

        return png;
    }

    /// <summary>Draws one plot at a place of a larger picture.</summary>
    public static void Draw(SkiaSharp.SKSurface surface, Plot plot, int x, int y, int width, int height)
    {
        Image image = plot.GetImage(width, height);
        using var bitmap = SkiaSharp.SKBitmap.Decode(image.GetImageBytes(ImageFormat.Png));
        surface.Canvas.DrawBitmap(bitmap, x, y);
    }

    private static byte[] Encode(SkiaSharp.SKBitmap picture)
    {
        using SkiaSharp.SKData png = picture.Encode(SkiaSharp.SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    // White stays white, black stays black.
    private static void Coarsen(Span<byte> bytes, int bits)
    {
        int levels = (1 << bits) - 1;
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)((((bytes[i] * levels) + 127) / 255) * 255 / levels);
        }
    }
}
