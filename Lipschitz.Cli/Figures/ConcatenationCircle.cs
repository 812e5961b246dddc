using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>
/// The quarter circle that (e1, e2) lies on, with the factors that trained dense layers have found, one panel a model, as in Figure 1 of
/// Perugachi-Diaz et al. 2020.
/// </summary>
public static class ConcatenationCircle
{
    private const int Side = 440;

    /// <summary>The dense layers of one model.</summary>
    /// <param name="Name">What to call it.</param>
    /// <param name="Factors">One row a dense layer, divided by the radius.</param>
    public sealed record Panel(string Name, IReadOnlyList<ConcatenationFigure.Factors> Factors);

    /// <summary>Draws the figure.</summary>
    /// <param name="panels">At least one, side by side.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Draw(IReadOnlyList<Panel> panels) => FigureSheet.Png([[.. panels.Select(NewPanel)]], Side, Side);

    private static Plot NewPanel(Panel panel)
    {
        Plot plot = FigureStyle.NewPlot();
        double[] angles = [.. Enumerable.Range(0, 91).Select(degree => degree * Math.PI / 180)];
        ScottPlot.Plottables.Scatter arc = plot.Add.ScatterLine(angles.Select(Math.Cos).ToArray(), angles.Select(Math.Sin).ToArray());
        arc.Color = FigureStyle.Grey;
        arc.LineWidth = 1.5f;
        var palette = new ScottPlot.Palettes.Category10();
        foreach (IGrouping<int, ConcatenationFigure.Factors> layer in panel.Factors.GroupBy(f => f.Layer).OrderBy(g => g.Key))
        {
            ScottPlot.Plottables.Scatter points = plot.Add.ScatterPoints(
                layer.Select(f => f.InputFactor).ToArray(), layer.Select(f => f.NewFactor).ToArray());
            points.Color = palette.GetColor(layer.Key - 1).WithAlpha(0.8);
            points.MarkerSize = 9;
            points.LegendText = $"layer {layer.Key}";
        }

        double[] start = [Math.Sqrt(0.5)];
        ScottPlot.Plottables.Scatter equal = plot.Add.ScatterPoints(start, start);
        equal.Color = FigureStyle.Ink;
        equal.MarkerShape = MarkerShape.Cross;
        equal.MarkerSize = 13;
        equal.LegendText = "start";
        plot.XLabel("e₁ / c, of the input");
        plot.YLabel("e₂ / c, of the new features");
        plot.Title(panel.Name, size: 15);
        plot.Axes.Title.Label.Bold = false;
        plot.Axes.Title.Label.FontName = Fonts.Default;
        plot.Axes.Title.Label.ForeColor = FigureStyle.Ink;
        plot.Axes.SetLimits(0, 1.06, 0, 1.06);
        plot.ShowLegend(Alignment.LowerLeft);
        return plot;
    }
}
