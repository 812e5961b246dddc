using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>Plots side by side and below each other in one picture.</summary>
internal static class FigureSheet
{
    /// <summary>Draws rows of plots of one size.</summary>
    /// <param name="rows">The plots; a row may be shorter than the others.</param>
    /// <param name="width">Pixels of a plot.</param>
    /// <param name="height">Pixels of a plot.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Png(IReadOnlyList<IReadOnlyList<Plot>> rows, int width, int height)
    {
        using var surface = SkiaSharp.SKSurface.Create(new SkiaSharp.SKImageInfo(width * rows.Max(row => row.Count), height * rows.Count));
        surface.Canvas.Clear(SkiaSharp.SKColors.White);
        for (int row = 0; row < rows.Count; row++)
        {
            for (int column = 0; column < rows[row].Count; column++)
            {
                Draw(surface, rows[row][column], column * width, row * height, width, height);
            }
        }

        return new Image(surface).GetImageBytes(ImageFormat.Png);
    }

    /// <summary>Draws one plot at a place of a larger picture.</summary>
    public static void Draw(SkiaSharp.SKSurface surface, Plot plot, int x, int y, int width, int height)
    {
        Image image = plot.GetImage(width, height);
        using var bitmap = SkiaSharp.SKBitmap.Decode(image.GetImageBytes(ImageFormat.Png));
        surface.Canvas.DrawBitmap(bitmap, x, y);
    }
}
