using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>Points of the plane on one square.</summary>
public static class ScatterFigure
{
    /// <summary>Draws the figure.</summary>
    /// <param name="points">The points, [n, 2] row by row.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Draw(ReadOnlySpan<double> points)
    {
        PlotArea area = PlotArea.Around(points, cells: 1);
        Plot plot = FigureStyle.NewPlot();
        SetSquare(plot, area);
        plot.Layout.Fixed(new PixelPadding(6, 6, 6, 6));
        AddPoints(plot, points);
        return FigureStyle.Png(plot, 720, 720);
    }

    /// <summary>Makes the panel of the square: no axes, the density map's lowest colour behind.</summary>
    internal static void SetSquare(Plot plot, PlotArea area)
    {
        plot.FigureBackground.Color = Colors.White;
        plot.DataBackground.Color = FigureStyle.Density.GetColor(0);
        plot.HideGrid();
        foreach (IAxis axis in plot.Axes.GetAxes())
        {
            axis.IsVisible = false;
        }

        plot.Axes.SetLimits(area.Left, area.Right, area.Bottom, area.Top);
    }

    /// <summary>Adds dots, fainter the more there are, so that crowded regions look brighter.</summary>
    internal static void AddPoints(Plot plot, ReadOnlySpan<double> points)
    {
        int count = points.Length / 2;
        var x = new double[count];
        var y = new double[count];
        for (int i = 0; i < count; i++)
        {
            x[i] = points[2 * i];
            y[i] = points[(2 * i) + 1];
        }

        AxisLimits limits = plot.Axes.GetLimits();
        ScottPlot.Plottables.Markers dots = plot.Add.Markers(x, y);
        dots.MarkerStyle.Shape = MarkerShape.FilledCircle;
        dots.MarkerStyle.Size = count > 2000 ? 2.5f : 5;
        dots.MarkerStyle.LineWidth = 0;
        dots.MarkerStyle.FillColor = FigureStyle.Density.GetColor(0.78).WithAlpha(count > 2000 ? 0.4 : 0.8);
        plot.Axes.SetLimits(limits);
    }
}
