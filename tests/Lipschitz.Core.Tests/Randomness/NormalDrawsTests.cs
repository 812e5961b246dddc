using Lipschitz.Randomness;

namespace Lipschitz.Core.Tests.Randomness;

public class NormalDrawsTests
{
    private static readonly RandomKey s_key = new(4, RandomPurpose.Probe, Step: 3, Index: 2);

    private delegate void Fill(RandomKey key, uint row, Span<double> values);

    public static TheoryData<string> Fills => ["normal", "signs", "uniform"];

    [Fact]
    public void The_words_of_a_block_map_to_four_columns_as_documented()
    {
        Philox.Block(s_key, 9, 1, out uint a, out uint b, out uint c, out uint d);
        double[] u = [.. new[] { a, b, c, d }.Select(word => (word + 0.5) / 4294967296.0)];

        Assert.Equal(u, Row("uniform", s_key, 9, 8)[4..]);
        Assert.Equal(u.Select(x => x < 0.5 ? 1.0 : -1.0), Row("signs", s_key, 9, 8)[4..]);
        double[] normals = Row("normal", s_key, 9, 8)[4..];
        for (int pair = 0; pair < 4; pair += 2)
        {
            double radius = Math.Sqrt(-2 * Math.Log(u[pair]));
            Assert.Equal(radius * Math.Cos(2 * Math.PI * u[pair + 1]), normals[pair], 14);
            Assert.Equal(radius * Math.Sin(2 * Math.PI * u[pair + 1]), normals[pair + 1], 14);
        }
    }

    [Theory]
    [MemberData(nameof(Fills))]
    public void A_number_depends_on_its_row_and_column_only(string fill)
    {
        double[] whole = Row(fill, s_key, 5, 101);
        for (int length = 100; length >= 0; length--)
        {
            Assert.Equal(whole[..length], Row(fill, s_key, 5, length));
        }
    }

    [Fact]
    public void Any_normal_can_be_drawn_by_itself()
    {
        for (uint row = 0; row < 5; row++)
        {
            double[] values = Row("normal", s_key, row, 13);
            Assert.Equal(values, Enumerable.Range(0, 13).Select(column => NormalDraws.Normal(s_key, row, column)));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => NormalDraws.Normal(s_key, 0, -1));
    }

    [Fact]
    public void Normals_have_the_right_distribution_and_moments()
    {
        double[] sample = [.. Enumerable.Range(0, 1000).SelectMany(row => Row("normal", s_key, (uint)row, 64))];
        Statistics.FollowsDistribution(Statistics.NormalCumulative, sample);
        Statistics.MeanIs(0, sample);
        Statistics.MeanIs(1, sample.Select(x => x * x), "second moment");
        Statistics.MeanIs(0, sample.Select(x => x * x * x), "third moment");
        Statistics.MeanIs(3, sample.Select(x => x * x * x * x), "fourth moment");
    }

    [Fact]
    public void Uniforms_and_signs_have_the_right_distribution()
    {
        Statistics.FollowsDistribution(x => x, [.. Enumerable.Range(0, 1000).SelectMany(row => Row("uniform", s_key, (uint)row, 64))]);
        double[] signs = [.. Enumerable.Range(0, 1000).SelectMany(row => Row("signs", s_key, (uint)row, 64))];
        Assert.All(signs, sign => Assert.True(sign is 1 or -1));
        Statistics.MeanIs(0, signs);
    }

    [Theory]
    [MemberData(nameof(Fills))]
    public void Columns_rows_and_keys_are_uncorrelated(string fill)
    {
        double centre = fill == "uniform" ? 0.5 : 0;
        RandomKey[] others =
        [
            s_key with { Seed = 5 }, s_key with { Purpose = RandomPurpose.Test }, s_key with { Step = 4 }, s_key with { Index = 3 },
        ];
        double[][] rows = [.. Enumerable.Range(0, 400).Select(row => Row(fill, s_key, (uint)row, 50))];
        for (int lag = 1; lag <= 8; lag++)
        {
            Statistics.MeanIs(0, rows.SelectMany(row => Products(row, row[lag..], centre)), $"columns {lag} apart");
        }

        Statistics.MeanIs(0, rows.Zip(rows.Skip(1)).SelectMany(pair => Products(pair.First, pair.Second, centre)), "rows");
        foreach (RandomKey other in others)
        {
            Assert.NotEqual(rows[0], Row(fill, other, 0, 50));
            Statistics.MeanIs(0, rows.SelectMany((row, i) => Products(row, Row(fill, other, (uint)i, 50), centre)), other.ToString());
        }
    }

    [Fact]
    public void Filling_a_row_allocates_nothing()
    {
        double[] values = new double[103];
        FillAll(values);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FillAll(values);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        static void FillAll(Span<double> values)
        {
            NormalDraws.FillRow(s_key, 1, values);
            NormalDraws.FillRowSigns(s_key, 1, values);
            NormalDraws.FillRowUniform(s_key, 1, values);
        }
    }

    private static IEnumerable<double> Products(double[] x, double[] y, double centre) =>
        x.Zip(y, (a, b) => (a - centre) * (b - centre));

    private static double[] Row(string fill, RandomKey key, uint row, int length)
    {
        Fill method = fill switch
        {
            "normal" => NormalDraws.FillRow,
            "signs" => NormalDraws.FillRowSigns,
            _ => NormalDraws.FillRowUniform,
        };
        double[] values = new double[length];
        method(key, row, values);
        return values;
    }
}
