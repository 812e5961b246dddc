using Lipschitz.Data;
using Lipschitz.Randomness;

namespace Lipschitz.Core.Tests.Data;

public class ArrayPointsTests
{
    private static readonly double[] s_points = [.. Enumerable.Range(0, 3 * 25).Select(i => (double)i)];

    [Fact]
    public void Every_tenth_row_is_held_out_in_order()
    {
        var points = new ArrayPoints(s_points, 3);
        Assert.Equal((3, 2, 23), (points.Width, points.TestRows, points.TrainingRows));
        Assert.Null(points.Entropy);
        var test = new double[6];
        points.Sample(new RandomKey(1, RandomPurpose.TestData), 0, test);
        Assert.Equal([27, 28, 29, 57, 58, 59], test);
    }

    [Fact]
    public void Training_rows_are_drawn_from_the_rest_by_address()
    {
        var points = new ArrayPoints(s_points, 3);
        var key = new RandomKey(1, RandomPurpose.TrainingData, 7);
        double[] all = new double[3 * 2300], part = new double[3 * 10];
        points.Sample(key, 0, all);
        points.Sample(key, 90, part);
        Assert.Equal(all[270..300], part);
        int[] counts = new int[25];
        for (int i = 0; i < all.Length; i += 3)
        {
            Assert.Equal((all[i] + 1, all[i] + 2), (all[i + 1], all[i + 2]));
            counts[(int)all[i] / 3]++;
        }

        Assert.Equal((0, 0), (counts[9], counts[19]));
        Statistics.SharesAreEqual([.. counts.Where((_, i) => i is not (9 or 19))]);
        points.Sample(key with { Step = 8 }, 90, part);
        Assert.NotEqual(all[270..300], part);
    }

    [Fact]
    public void The_points_are_copied()
    {
        double[] mine = [.. s_points];
        var points = new ArrayPoints(mine, 3);
        mine[27] = 1000;
        var test = new double[3];
        points.Sample(new RandomKey(1, RandomPurpose.TestData), 0, test);
        Assert.Equal(27, test[0]);
    }

    [Fact]
    public void Too_few_ragged_or_non_finite_points_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ArrayPoints(new double[19], 1));
        Assert.Throws<ArgumentException>(() => new ArrayPoints(new double[61], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ArrayPoints(new double[60], 0));
        double[] bad = [.. s_points];
        bad[40] = double.NaN;
        Assert.Contains("Row 13", Assert.Throws<ArgumentException>(() => new ArrayPoints(bad, 3)).Message, StringComparison.Ordinal);
    }
}
