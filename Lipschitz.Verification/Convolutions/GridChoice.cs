namespace Lipschitz.Verification.Convolutions;

/// <summary>Chooses, unproven, the grid whose largest symbol norm is least: the one whose points miss the peaks by most.</summary>
internal static class GridChoice
{
    private const int CoarsePoints = 12;
    private const int Peaks = 3;
    private const int LargeKernel = 20_000; // entries of a tap above which fewer grids are tried

    /// <summary>The best grid found and its frequency of largest norm.</summary>
    public static (FrequencyGrid Grid, (int Row, int Column) Peak) Best(ScaledKernel kernel, int rows, int columns)
    {
        var room = new SymbolGram(kernel);
        List<(double Row, double Column)> peaks = FindPeaks(kernel);
        FrequencyGrid best = default;
        (int, int) bestPeak = default;
        double least = double.PositiveInfinity;
        int most = kernel.Rows * kernel.Columns > LargeKernel ? 1 : 3;
        for (int extra = 0; extra <= most; extra++)
        {
            for (int twists = 0; twists < 4; twists++)
            {
                FrequencyGrid grid = Grid(kernel, rows, columns, extra, twists % 2, twists / 2);
                if (extra + twists > 0 && grid == Grid(kernel, rows, columns, 0, 0, 0))
                {
                    continue; // a 1x1 kernel has one grid only
                }

                (double norm, (int, int) peak) = LargestNear(room, grid, peaks, least);
                if (norm < least)
                {
                    (least, best, bestPeak) = (norm, grid, peak);
                }
            }
        }

        return (best, bestPeak);
    }

    /// <summary>About the frequency of largest norm of a grid.</summary>
    public static (int Row, int Column) Peak(ScaledKernel kernel, FrequencyGrid grid) =>
        LargestNear(new SymbolGram(kernel), grid, FindPeaks(kernel), double.PositiveInfinity).Peak;

    private static FrequencyGrid Grid(ScaledKernel kernel, int rows, int columns, int extra, int rowTwist, int columnTwist)
    {
        bool mixesRows = kernel.Height > 1, mixesColumns = kernel.Width > 1;
        return new(
            mixesRows ? rows + (kernel.Height / 2) + extra : 1, mixesColumns ? columns + (kernel.Width / 2) + extra : 1,
            mixesRows ? rowTwist : 0, mixesColumns ? columnTwist : 0);
    }

    // The four points of the grid around each peak; gives up once the norm is above what another grid has.
    private static (double Norm, (int Row, int Column) Peak) LargestNear(
        SymbolGram room, FrequencyGrid grid, List<(double Row, double Column)> peaks, double giveUp)
    {
        double largest = 0;
        (int, int) at = default;
        var seen = new HashSet<(int, int)>();
        foreach ((double row, double column) in peaks)
        {
            int j = (int)Math.Floor((row * grid.Rows) - (grid.RowTwist / 2.0)), k = (int)Math.Floor((column * grid.Columns) - (grid.ColumnTwist / 2.0));
            for (int corner = 0; corner < 4 && largest < giveUp; corner++)
            {
                (int, int) point = (Wrap(j + (corner % 2), grid.Rows), Wrap(k + (corner / 2), grid.Columns));
                if (seen.Add(point))
                {
                    room.Evaluate(grid, point.Item1, point.Item2);
                    double norm = room.Estimate();
                    (largest, at) = norm > largest ? (norm, point) : (largest, at);
                }
            }
        }

        return (largest, at);
    }

    private static int Wrap(int index, int count) => ((index % count) + count) % count;

    // Local maxima of the norm on a coarse grid, moved uphill on ever finer ones; as fractions of a turn.
    private static List<(double Row, double Column)> FindPeaks(ScaledKernel kernel)
    {
        var coarse = new FrequencyGrid(kernel.Height > 1 ? CoarsePoints : 1, kernel.Width > 1 ? CoarsePoints : 1, 0, 0);
        (int Row, int Column)[] half = [.. coarse.Half()];
        var norms = new double[half.Length];
        Parallel.For(
            0, half.Length, BoundedLoop.Inner, () => new SymbolGram(kernel),
            (i, _, room) =>
            {
                room.Evaluate(coarse, half[i].Row, half[i].Column);
                norms[i] = room.Estimate();
                return room;
            },
            _ => { });

        var byPlace = new Dictionary<(int, int), double>();
        for (int i = 0; i < half.Length; i++)
        {
            byPlace[half[i]] = byPlace[(Wrap(-half[i].Row, coarse.Rows), Wrap(-half[i].Column, coarse.Columns))] = norms[i];
        }

        bool IsPeak((int Row, int Column) point) => Enumerable.Range(0, 9).All(n =>
            byPlace[(Wrap(point.Row + (n / 3) - 1, coarse.Rows), Wrap(point.Column + (n % 3) - 1, coarse.Columns))] <= byPlace[point]);
        (int Row, int Column)[] chosen = [.. half.Where(IsPeak).OrderByDescending(point => byPlace[point]).Take(Peaks)];
        double most = norms.Max();
        var room = new SymbolGram(kernel);
        return [.. chosen.Where(point => byPlace[point] > 0.9 * most).Select(point => Climb(room, coarse, point, byPlace[point]))];
    }

    private static (double Row, double Column) Climb(SymbolGram room, FrequencyGrid coarse, (int Row, int Column) start, double norm)
    {
        FrequencyGrid fine = coarse;
        (int Row, int Column) point = start;
        for (int level = 0; level < 3; level++)
        {
            fine = fine with { Rows = coarse.Rows == 1 ? 1 : fine.Rows * 3, Columns = coarse.Columns == 1 ? 1 : fine.Columns * 3 };
            point = (coarse.Rows == 1 ? 0 : point.Row * 3, coarse.Columns == 1 ? 0 : point.Column * 3);
            (int Row, int Column)[] directions = [(1, 0), (-1, 0), (0, 1), (0, -1)];
            foreach ((int Row, int Column) direction in directions)
            {
                var next = (Wrap(point.Row + direction.Row, fine.Rows), Wrap(point.Column + direction.Column, fine.Columns));
                room.Evaluate(fine, next.Item1, next.Item2);
                double value = room.Estimate();
                (norm, point) = value > norm ? (value, next) : (norm, point);
            }
        }

        return ((double)point.Row / fine.Rows, (double)point.Column / fine.Columns);
    }
}
