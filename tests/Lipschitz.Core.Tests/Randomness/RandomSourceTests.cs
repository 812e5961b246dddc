using Lipschitz.Randomness;

namespace Lipschitz.Core.Tests.Randomness;

public class RandomSourceTests
{
    private static readonly RandomKey s_key = new(20, RandomPurpose.Test);

    [Fact]
    public void Words_are_those_of_successive_blocks()
    {
        var source = new RandomSource(s_key, row: 7);
        for (uint draw = 0; draw < 3; draw++)
        {
            Philox.Block(s_key, 7, draw, out uint a, out uint b, out uint c, out uint d);
            Assert.Equal([a, b, c, d], [source.NextUInt32(), source.NextUInt32(), source.NextUInt32(), source.NextUInt32()]);
        }
    }

    [Fact]
    public void Doubles_are_uniform_on_0_to_1_with_53_bits()
    {
        var source = new RandomSource(s_key);
        double[] sample = [.. Enumerable.Range(0, 50_000).Select(_ => source.NextDouble())];
        Statistics.FollowsDistribution(x => x, sample);
        Assert.All(sample, x => Assert.InRange(x, 0, 1 - Math.ScaleB(1, -53)));
        Assert.All(sample, x => Assert.Equal(Math.Floor(Math.ScaleB(x, 53)), Math.ScaleB(x, 53)));
        Statistics.MeanIs(0.5, sample.Select(x => Math.ScaleB(x, 53) % 2), "the lowest bit");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    public void Integers_fall_on_every_value_equally_often(int exclusiveMax)
    {
        var source = new RandomSource(s_key, row: (uint)exclusiveMax);
        int[] counts = new int[exclusiveMax];
        for (int i = 0; i < 20_000; i++)
        {
            counts[source.NextInt(exclusiveMax)]++;
        }

        Statistics.SharesAreEqual(counts);
    }

    [Fact]
    public void Integers_below_three_quarters_of_the_range_are_unbiased()
    {
        // Without rejection, 2, 5, 8, … would come from two words each and all other values from three.
        const int max = 3 << 29;
        var source = new RandomSource(s_key);
        int[] remainders = new int[3];
        for (int i = 0; i < 30_000; i++)
        {
            remainders[source.NextInt(max) % 3]++;
        }

        Statistics.SharesAreEqual(remainders);
    }

    [Fact]
    public void An_integer_range_that_is_empty_is_refused()
    {
        var source = new RandomSource(s_key);
        Assert.Throws<ArgumentOutOfRangeException>(() => source.NextInt(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.NextInt(-1));
    }

    [Fact]
    public void Normals_follow_the_normal_distribution_and_the_two_of_a_pair_are_independent()
    {
        var source = new RandomSource(s_key, row: 1);
        double[] sample = [.. Enumerable.Range(0, 50_000).Select(_ => source.NextNormal())];
        Statistics.FollowsDistribution(Statistics.NormalCumulative, sample);
        Statistics.FollowsDistribution(Statistics.NormalCumulative, [.. sample.Where((_, i) => i % 2 == 1)]);
        Statistics.MeanIs(0, sample.Zip(sample.Skip(1), (x, y) => x * y), "lag 1");
        Statistics.MeanIs(1, sample.Chunk(2).Select(pair => pair[0] * pair[0] * pair[1] * pair[1]), "squares of a pair");
    }

    [Fact]
    public void Two_normals_take_two_words()
    {
        var source = new RandomSource(s_key);
        var words = new RandomSource(s_key);
        (double first, double second) = (source.NextNormal(), source.NextNormal());
        double radius = Math.Sqrt(-2 * Math.Log((words.NextUInt32() + 1.0) / 4294967296.0));
        double angle = 2 * Math.PI * (words.NextUInt32() / 4294967296.0);
        Assert.Equal(radius * Math.Cos(angle), first, 14);
        Assert.Equal(radius * Math.Sin(angle), second, 14);
        Assert.Equal(words.NextUInt32(), source.NextUInt32());
    }

    [Fact]
    public void Signs_are_fair_and_of_size_one()
    {
        var source = new RandomSource(s_key);
        double[] sample = [.. Enumerable.Range(0, 20_000).Select(_ => source.NextSign())];
        Assert.All(sample, sign => Assert.True(sign is 1 or -1));
        Statistics.MeanIs(0, sample);
        Statistics.MeanIs(0, sample.Zip(sample.Skip(1), (x, y) => x * y), "lag 1");
    }

    [Fact]
    public void Another_row_or_key_gives_other_words()
    {
        RandomKey[] keys =
        [
            s_key, s_key with { Seed = 21 }, s_key with { Seed = 20 + (1UL << 32) }, s_key with { Purpose = RandomPurpose.Probe },
            s_key with { Step = 1 }, s_key with { Index = 1 },
        ];
        uint[] words = [.. keys.Select(key => new RandomSource(key).NextUInt32()), new RandomSource(s_key, row: 1).NextUInt32()];
        Assert.Distinct(words);
    }
}
