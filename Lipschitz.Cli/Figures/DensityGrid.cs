using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>
/// Densities of several models on several data sets: a row a data set, its points first, as in Figure 2a of Perugachi-Diaz et al. 2020.
/// </summary>
public static class DensityGrid
{
    private const int Width = 212; // of a panel; with its title and borders the square is 200 pixels wide and high
    private const int Height = 250;
    private const int TitleSize = 15;
    private const int MostBytes = 250_000; // figures are kept beside the text

    /// <summary>What the models have learned of one data set.</summary>
    /// <param name="Name">The data set.</param>
    /// <param name="Area">The square of the panels and its grid.</param>
    /// <param name="Points">Points of the data, [n, 2] row by row.</param>
    /// <param name="Densities">The log-densities at <see cref="PlotArea.CellCentres"/> in nats, by the title of the model.</param>
    public sealed record Row(string Name, PlotArea Area, double[] Points, IReadOnlyList<(string Title, double[] LogDensity)> Densities);

    /// <summary>Draws the figure.</summary>
    /// <param name="rows">At least one.</param>
    /// <returns>A .png file.</returns>
    public static byte[] Draw(IReadOnlyList<Row> rows) => FigureSheet.Png([.. rows.Select(Panels)], Width, Height, MostBytes);

    private static IReadOnlyList<Plot> Panels(Row row)
    {
        Plot data = DensityFigure.Panel(new Plot(), row.Name, row.Area, TitleSize);
        ScatterFigure.AddPoints(data, row.Points);
        var panels = new List<Plot> { data };
        foreach ((string title, double[] logDensity) in row.Densities)
        {
            Plot panel = DensityFigure.Panel(new Plot(), title, row.Area, TitleSize);
            DensityFigure.AddHeatMap(panel, row.Area, logDensity);
            panels.Add(panel);
        }

        return panels;
    }
}
