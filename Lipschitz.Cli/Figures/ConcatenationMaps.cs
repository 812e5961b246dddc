using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>
/// Heat maps of the normalised e1 and e2 of each dense layer, one pair a scale: blocks downwards, their dense layers to the right, as in
/// Figure 3 of Perugachi-Diaz et al. 2020.
/// </summary>
public static class ConcatenationMaps
{
    private const int CellWidth = 74;
    private const int CellHeight = 34;
    private const int Left = 64;
    private const int Right = 16;
    private const int Top = 44;
    private const int Bottom = 54;
    private static readonly IColormap s_colours = new ScottPlot.Colormaps.Viridis();

    /// <summary>The dense layers of the blocks of one scale.</summary>
    /// <param name="Name">What to call it, such as <c>16 x 16</c>.</param>
    /// <param name="Factors">One row a dense layer, block by block.</param>
    public sealed record Scale(string Name, IReadOnlyList<ConcatenationFigure.Factors> Factors);

    /// <summary>Draws the figure.</summary>
    /// <param name="scales">The scales, nearest to the data first; each with at least one dense layer.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Draw(IReadOnlyList<Scale> scales)
    {
        int[] widths = [.. scales.Select(scale => Left + Right + (CellWidth * scale.Factors.Max(f => f.Layer)))];
        int[] rows = [.. scales.Select(scale => scale.Factors.Select(f => f.Block).Distinct().Count())];
        int height = Top + Bottom + (CellHeight * rows.Max());
        using var surface = SkiaSharp.SKSurface.Create(new SkiaSharp.SKImageInfo(widths.Sum(), 2 * height));
        surface.Canvas.Clear(SkiaSharp.SKColors.White);
        int x = 0;
        for (int i = 0; i < scales.Count; i++)
        {
            int own = Top + Bottom + (CellHeight * rows[i]);
            FigureSheet.Draw(surface, NewPanel(scales[i], "e₁", f => f.InputFactor), x, 0, widths[i], own);
            FigureSheet.Draw(surface, NewPanel(scales[i], "e₂", f => f.NewFactor), x, height, widths[i], own);
            x += widths[i];
        }

        return new Image(surface).GetImageBytes(ImageFormat.Png);
    }

    private static Plot NewPanel(Scale scale, string factor, Func<ConcatenationFigure.Factors, double> value)
    {
        int[] blocks = [.. scale.Factors.Select(f => f.Block).Distinct()];
        int layers = scale.Factors.Max(f => f.Layer);
        Plot plot = FigureStyle.NewPlot();
        foreach (ConcatenationFigure.Factors f in scale.Factors)
        {
            int y = -Array.IndexOf(blocks, f.Block);
            ScottPlot.Plottables.Rectangle cell = plot.Add.Rectangle(f.Layer - 0.5, f.Layer + 0.5, y - 0.5, y + 0.5);
            cell.FillColor = s_colours.GetColor(value(f));
            cell.LineWidth = 0;
            ScottPlot.Plottables.Text text = plot.Add.Text(
                value(f).ToString("0.00", System.Globalization.CultureInfo.InvariantCulture), f.Layer, y);
            text.LabelAlignment = Alignment.MiddleCenter;
            text.LabelFontName = Fonts.Default;
            text.LabelFontSize = 13;
            text.LabelFontColor = value(f) > 0.6 ? Colors.Black : Colors.White;
        }

        plot.Axes.Bottom.TickGenerator = Ticks(Enumerable.Range(1, layers).Select(j => ((double)j, j)));
        plot.Axes.Left.TickGenerator = Ticks(blocks.Select((block, i) => ((double)-i, block)));
        plot.Axes.Bottom.MajorTickStyle.Length = 0;
        plot.Axes.Left.MajorTickStyle.Length = 0;
        plot.HideGrid();
        plot.XLabel("dense layer");
        plot.YLabel("block");
        plot.Title($"{factor}, {scale.Name}", size: 15);
        plot.Axes.Title.Label.Bold = false;
        plot.Axes.Title.Label.FontName = Fonts.Default;
        plot.Axes.Title.Label.ForeColor = FigureStyle.Ink;
        plot.Layout.Fixed(new PixelPadding(Left, Right, Bottom, Top));
        plot.Axes.SetLimits(0.5, layers + 0.5, 0.5 - blocks.Length, 0.5);
        return plot;
    }

    private static ScottPlot.TickGenerators.NumericManual Ticks(IEnumerable<(double Position, int Number)> ticks) =>
        new([.. ticks.Select(t => new Tick(t.Position, t.Number.ToString(System.Globalization.CultureInfo.InvariantCulture)))]);
}
