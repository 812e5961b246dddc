using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>Bars of the normalised e1 and e2 of each dense layer: how much of a concatenation is its input and how much is new.</summary>
public static class ConcatenationFigure
{
    /// <summary>The factors of one dense layer, divided by their radius: e1² + e2² = 1.</summary>
    /// <param name="Block">The block, from 1.</param>
    /// <param name="Layer">The dense layer within the block, from 1.</param>
    /// <param name="InputFactor">e1, the factor of the layer's input.</param>
    /// <param name="NewFactor">e2, the factor of what the layer adds.</param>
    public readonly record struct Factors(int Block, int Layer, double InputFactor, double NewFactor);

    /// <summary>Draws the figure.</summary>
    /// <param name="factors">One row a dense layer, block by block.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Draw(IReadOnlyList<Factors> factors)
    {
        Plot plot = FigureStyle.NewPlot();
        var bars = new List<Bar>();
        var ticks = new List<Tick>();
        double position = 0;
        foreach (IGrouping<int, Factors> block in factors.GroupBy(f => f.Block))
        {
            double start = position;
            foreach (Factors layer in block)
            {
                bars.Add(NewBar(position, layer.InputFactor, FigureStyle.Blue));
                bars.Add(NewBar(position + 0.85, layer.NewFactor, FigureStyle.Orange));
                position += 2.3;
            }

            ticks.Add(new Tick((start + position - 1.45) / 2, block.Key.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            position += 1.7;
        }

        plot.Add.Bars(bars);
        ScottPlot.Plottables.HorizontalLine equal = plot.Add.HorizontalLine(Math.Sqrt(0.5));
        equal.Color = FigureStyle.Grey;
        equal.LineWidth = 1.5f;
        equal.LinePattern = LinePattern.Dashed;
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. ticks]);
        plot.Axes.Bottom.MajorTickStyle.Length = 0;
        plot.XLabel("block, and its dense layers from left to right");
        plot.YLabel("normalised factor");
        plot.Grid.XAxisStyle.IsVisible = false;
        plot.Axes.SetLimits(-1.5, position - 1, 0, 1.12);
        plot.ShowLegend(
            [
                new LegendItem { LabelText = "e₁, of the input", FillColor = FigureStyle.Blue, LineWidth = 0 },
                new LegendItem { LabelText = "e₂, of the new features", FillColor = FigureStyle.Orange, LineWidth = 0 },
                new LegendItem
                {
                    LabelText = "equal, 1/√2",
                    LineColor = FigureStyle.Grey,
                    LineWidth = 1.5f,
                    LinePattern = LinePattern.Dashed,
                },
            ],
            Alignment.UpperRight);
        plot.Legend.Orientation = Orientation.Horizontal;
        return FigureStyle.Png(plot, 1100, 480);
    }

    private static Bar NewBar(double position, double value, Color color) =>
        new() { Position = position, Value = value, Size = 0.8, FillColor = color, LineWidth = 0 };
}
