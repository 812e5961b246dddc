using Lipschitz.Randomness;

namespace Lipschitz.Core.Tests.Randomness;

public class RandomPermutationTests
{
    private static readonly RandomKey s_key = new(3, RandomPurpose.Test, 1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(60_000)]
    public void Each_number_comes_once(int count)
    {
        var order = new RandomPermutation(s_key, count);
        Assert.Equal(Enumerable.Range(0, count), Order(order).Order());
    }

    [Fact]
    public void Every_small_count_is_permuted_under_many_keys()
    {
        for (int count = 1; count <= 80; count++)
        {
            for (uint step = 0; step < 20; step++)
            {
                var order = new RandomPermutation(s_key with { Step = step }, count);
                Assert.Equal(count, Order(order).Distinct().Count());
            }
        }
    }

    [Fact]
    public void The_largest_count_works()
    {
        var order = new RandomPermutation(s_key, int.MaxValue);
        Assert.InRange(order[int.MaxValue - 1], 0, int.MaxValue - 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => order[int.MaxValue]);
    }

    [Fact]
    public void Keys_differ_and_a_key_repeats()
    {
        int[] order = Order(new RandomPermutation(s_key, 1000));
        Assert.Equal(order, Order(new RandomPermutation(s_key, 1000)));
        Assert.NotEqual(order, Order(new RandomPermutation(s_key with { Step = 2 }, 1000)));
        Assert.NotEqual(order, Order(new RandomPermutation(s_key with { Seed = 4 }, 1000)));

        // Two random permutations agree in one place on average, and a random one leaves one place as it is.
        Assert.InRange(order.Where((number, place) => number == place).Count(), 0, 8);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Every_order_of_a_few_numbers_is_equally_likely(int count)
    {
        const int orders = 30_000;
        var counts = new Dictionary<string, int>();
        for (uint step = 0; step < orders; step++)
        {
            string order = string.Join(' ', Order(new RandomPermutation(s_key with { Step = step }, count)));
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }

        Assert.Equal(Enumerable.Range(1, count).Aggregate((a, b) => a * b), counts.Count);
        Statistics.SharesAreEqual([.. counts.Values]);
    }

    [Fact]
    public void Places_far_apart_and_side_by_side_are_equally_likely_to_meet()
    {
        // The difference of the numbers at two neighbouring places is uniform on 1, ..., count - 1 modulo count.
        const int count = 21;
        int[] differences = new int[count - 1];
        for (uint step = 0; step < 20_000; step++)
        {
            var order = new RandomPermutation(s_key with { Step = step }, count);
            differences[((order[8] - order[7] + count) % count) - 1]++;
        }

        Statistics.SharesAreEqual(differences);
    }

    [Fact]
    public void A_count_or_place_out_of_range_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomPermutation(s_key, 0));
        var order = new RandomPermutation(s_key, 10);
        Assert.Throws<ArgumentOutOfRangeException>(() => order[-1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => order[10]);
    }

    private static int[] Order(RandomPermutation order) => [.. Enumerable.Range(0, order.Count).Select(place => order[place])];
}
