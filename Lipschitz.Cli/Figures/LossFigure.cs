using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>The training loss, the tests with their standard errors and the entropy of the data over the steps.</summary>
public static class LossFigure
{
    /// <summary>A test during the run.</summary>
    /// <param name="Step">Steps done.</param>
    /// <param name="Value">Mean over the test set, in the unit of the axis.</param>
    /// <param name="StandardError">Its standard error.</param>
    public readonly record struct Test(double Step, double Value, double StandardError);

    /// <summary>Draws the figure.</summary>
    /// <param name="steps">The steps of the training losses, increasing.</param>
    /// <param name="losses">The training losses, in the unit of the axis.</param>
    /// <param name="tests">The tests, in the order of their steps.</param>
    /// <param name="entropy">The entropy of the data in nats, where known.</param>
    /// <param name="axis">What the values are, with their unit.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Draw(
        ReadOnlySpan<double> steps, ReadOnlySpan<double> losses, IReadOnlyList<Test> tests, double? entropy,
        string axis = "negative log-likelihood (nats)")
    {
        Plot plot = FigureStyle.NewPlot();
        plot.XLabel("step");
        plot.YLabel(axis);
        ScottPlot.Plottables.Scatter training = plot.Add.ScatterLine(steps.ToArray(), losses.ToArray());
        training.Color = FigureStyle.Blue.WithAlpha(0.6);
        training.LineWidth = 1;
        training.LegendText = "training";
        if (tests.Count > 0)
        {
            double[] x = [.. tests.Select(t => t.Step)];
            double[] y = [.. tests.Select(t => t.Value)];
            double[] error = [.. tests.Select(t => t.StandardError)];
            ScottPlot.Plottables.ErrorBar bars = plot.Add.ErrorBar(x, y, error);
            bars.Color = FigureStyle.Orange;
            bars.LineWidth = 1.5f;
            ScottPlot.Plottables.Scatter points = plot.Add.ScatterPoints(x, y);
            points.Color = FigureStyle.Orange;
            points.MarkerSize = 6;
            points.LegendText = "test, ± standard error";
        }

        AddFloor(plot, entropy);
        SetLimits(plot, steps.ToArray(), losses, tests, entropy);
        plot.ShowLegend(Alignment.UpperRight);
        return FigureStyle.Png(plot, 960, 560);
    }

    /// <summary>The line that nothing can be below, where it is known.</summary>
    internal static void AddFloor(Plot plot, double? entropy)
    {
        if (entropy is { } floor)
        {
            ScottPlot.Plottables.HorizontalLine line = plot.Add.HorizontalLine(floor);
            line.Color = FigureStyle.Grey;
            line.LineWidth = 1.5f;
            line.LinePattern = LinePattern.Dashed;
            line.LegendText = FormattableString.Invariant($"entropy of the data, {floor:0.000}");
        }
    }

    /// <summary>Shows all tests. The first losses are many nats above the rest; the axis leaves out the highest 10% of them.</summary>
    internal static void SetLimits(
        Plot plot, IEnumerable<double> steps, ReadOnlySpan<double> losses, IReadOnlyList<Test> tests, double? entropy)
    {
        List<double> shown = [.. losses.ToArray().Where(double.IsFinite).Order()];
        shown.RemoveRange(shown.Count - (shown.Count / 10), shown.Count / 10);
        shown.AddRange(tests.Select(t => t.Value - t.StandardError));
        shown.AddRange(tests.Select(t => t.Value + t.StandardError));
        if (entropy is { } floor)
        {
            shown.Add(floor);
        }

        double last = steps.Concat(tests.Select(t => t.Step)).DefaultIfEmpty(1).Max();
        double low = shown.Count == 0 ? 0 : shown.Min();
        double high = shown.Count == 0 ? 1 : shown.Max();
        double margin = Math.Max(0.05 * (high - low), 1e-3);
        plot.Axes.SetLimits(0, 1.02 * last, low - margin, high + margin);
    }
}
