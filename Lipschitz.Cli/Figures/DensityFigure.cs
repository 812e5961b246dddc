using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>Three panels on the same square: data, samples and density, as in Figure 2a of Perugachi-Diaz et al. 2020.</summary>
public static class DensityFigure
{
    private const int PanelSize = 480;
    private const int TitleHeight = 44;

    /// <summary>Draws the figure.</summary>
    /// <param name="area">The square and its grid.</param>
    /// <param name="data">Points of the data, [n, 2] row by row.</param>
    /// <param name="samples">Points drawn from the flow, [n, 2] row by row.</param>
    /// <param name="logDensity">The log-density at <see cref="PlotArea.CellCentres"/>, in nats.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Draw(PlotArea area, ReadOnlySpan<double> data, ReadOnlySpan<double> samples, ReadOnlySpan<double> logDensity)
    {
        var figure = new Multiplot();
        figure.AddPlots(3);
        figure.Layout = new ScottPlot.MultiplotLayouts.Grid(rows: 1, columns: 3);
        ScatterFigure.AddPoints(Panel(figure.GetPlot(0), "data", area), data);
        ScatterFigure.AddPoints(Panel(figure.GetPlot(1), "samples", area), samples);
        AddHeatMap(Panel(figure.GetPlot(2), "density", area), area, logDensity);
        using var surface = SkiaSharp.SKSurface.Create(new SkiaSharp.SKImageInfo(3 * PanelSize, PanelSize + TitleHeight));
        surface.Canvas.Clear(SkiaSharp.SKColors.White);
        figure.Render(surface);
        return new Image(surface).GetImageBytes(ImageFormat.Png);
    }

    /// <summary>Makes a panel of the square with a title above it.</summary>
    internal static Plot Panel(Plot plot, string title, PlotArea area, int titleSize = 20)
    {
        ScatterFigure.SetSquare(plot, area);
        plot.Title(title, titleSize);
        plot.Font.Set(Fonts.Default);
        plot.Axes.Title.Label.Bold = false;
        plot.Axes.Title.Label.ForeColor = FigureStyle.Ink;
        plot.Layout.Fixed(new PixelPadding(6, 6, 6, TitleHeight));
        return plot;
    }

    /// <summary>Adds the density at the centres of the cells of the square.</summary>
    internal static void AddHeatMap(Plot plot, PlotArea area, ReadOnlySpan<double> logDensity)
    {
        var intensities = new double[area.Cells, area.Cells];
        var sorted = new double[logDensity.Length];
        for (int row = 0; row < area.Cells; row++)
        {
            for (int column = 0; column < area.Cells; column++)
            {
                int i = (row * area.Cells) + column;
                double density = Math.Exp(logDensity[i]);
                sorted[i] = double.IsFinite(density) ? density : 0;
                intensities[area.Cells - 1 - row, column] = sorted[i];
            }
        }

        // A few spikes must not darken the rest, so the brightest 0.5% of the cells share one colour.
        Array.Sort(sorted);
        double brightest = sorted[^(1 + (sorted.Length / 200))];
        ScottPlot.Plottables.Heatmap map = plot.Add.Heatmap(intensities);
        map.Position = new CoordinateRect(area.Left, area.Right, area.Bottom, area.Top);
        map.Colormap = FigureStyle.Density;
        map.ManualRange = new ScottPlot.Range(0, brightest > 0 ? brightest : 1);
        map.Smooth = true;
        map.Update();
        plot.Axes.SetLimits(area.Left, area.Right, area.Bottom, area.Top);
    }
}
