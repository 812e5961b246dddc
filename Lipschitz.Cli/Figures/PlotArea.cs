namespace Lipschitz.Cli.Figures;

/// <summary>A square of the plane and a regular grid of cells on it.</summary>
/// <param name="CentreX">The first coordinate of the middle.</param>
/// <param name="CentreY">The second coordinate of the middle.</param>
/// <param name="HalfSide">Half of the side.</param>
/// <param name="Cells">Cells along each side.</param>
public sealed record PlotArea(double CentreX, double CentreY, double HalfSide, int Cells)
{
    /// <summary>The left edge.</summary>
    public double Left => CentreX - HalfSide;

    /// <summary>The right edge.</summary>
    public double Right => CentreX + HalfSide;

    /// <summary>The lower edge.</summary>
    public double Bottom => CentreY - HalfSide;

    /// <summary>The upper edge.</summary>
    public double Top => CentreY + HalfSide;

    /// <summary>The smallest square with some margin around the points, apart from the outermost 0.5% on each side.</summary>
    /// <param name="points">Points, [n, 2] row by row.</param>
    /// <param name="cells">Cells along each side.</param>
    public static PlotArea Around(ReadOnlySpan<double> points, int cells)
    {
        (double left, double right) = Middle99(points, 0);
        (double bottom, double top) = Middle99(points, 1);
        double half = 0.6 * Math.Max(right - left, top - bottom);
        return new PlotArea((left + right) / 2, (bottom + top) / 2, half > 0 ? half : 1, cells);
    }

    /// <summary>The centres of the cells, [Cells * Cells, 2], from the lower left, row by row.</summary>
    public double[] CellCentres()
    {
        var centres = new double[2 * Cells * Cells];
        double cell = 2 * HalfSide / Cells;
        for (int row = 0; row < Cells; row++)
        {
            for (int column = 0; column < Cells; column++)
            {
                int i = 2 * ((row * Cells) + column);
                centres[i] = Left + ((column + 0.5) * cell);
                centres[i + 1] = Bottom + ((row + 0.5) * cell);
            }
        }

        return centres;
    }

    private static (double Low, double High) Middle99(ReadOnlySpan<double> points, int column)
    {
        var values = new double[points.Length / 2];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = points[(2 * i) + column];
        }

        Array.Sort(values);
        int cut = values.Length / 200;
        return values.Length == 0 ? (-1, 1) : (values[cut], values[^(cut + 1)]);
    }
}
