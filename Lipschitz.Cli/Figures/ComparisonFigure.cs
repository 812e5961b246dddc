using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>The tests of several runs over their steps, with standard errors, in one picture.</summary>
public static class ComparisonFigure
{
    /// <summary>The tests of one run.</summary>
    /// <param name="Name">What the legend calls it.</param>
    /// <param name="Tests">In the order of their steps; values in the unit of the axis.</param>
    public sealed record Curve(string Name, IReadOnlyList<LossFigure.Test> Tests);

    /// <summary>Draws the figure.</summary>
    /// <param name="curves">The runs.</param>
    /// <param name="axis">What the values are, with their unit.</param>
    /// <param name="entropy">The entropy of the data in the same unit, where known.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Draw(IReadOnlyList<Curve> curves, string axis, double? entropy) => FigureStyle.Png(NewPlot(curves, axis, entropy), 960, 560);

    /// <inheritdoc cref="Draw" path="/summary"/>
    /// <inheritdoc cref="Draw" path="/param"/>
    internal static Plot NewPlot(IReadOnlyList<Curve> curves, string axis, double? entropy)
    {
        Plot plot = FigureStyle.NewPlot();
        plot.XLabel("step");
        plot.YLabel(axis);
        var palette = new ScottPlot.Palettes.Category10();
        for (int i = 0; i < curves.Count; i++)
        {
            double[] x = [.. curves[i].Tests.Select(t => t.Step)];
            double[] y = [.. curves[i].Tests.Select(t => t.Value)];
            Color colour = palette.GetColor(i);
            ScottPlot.Plottables.ErrorBar bars = plot.Add.ErrorBar(x, y, [.. curves[i].Tests.Select(t => t.StandardError)]);
            bars.Color = colour;
            bars.LineWidth = 1.5f;
            ScottPlot.Plottables.Scatter line = plot.Add.Scatter(x, y);
            line.Color = colour;
            line.LineWidth = 1.5f;
            line.MarkerSize = 6;
            line.LegendText = curves[i].Name;
        }

        List<LossFigure.Test> all = [.. curves.SelectMany(curve => curve.Tests)];
        LossFigure.AddFloor(plot, entropy);
        LossFigure.SetLimits(plot, all.Select(t => t.Step), [], all, entropy);
        plot.ShowLegend(Edge.Top); // beside the curves, which may be anywhere
        return plot;
    }
}
