using Lipschitz.Data;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Data;

public class PictureSourceTests
{
    private const int Batch = 4;
    private static readonly ImageShape s_shape = new(2, 3, 2);
    private static readonly RandomKey s_training = new(5, RandomPurpose.TrainingData);
    private static readonly RandomKey s_test = new(5, RandomPurpose.TestData);

    // Picture i begins with the byte 10 i, then counts up; training has 11 pictures, test 3, of classes 0, 1, 2, 0, ...
    private static readonly PictureSplit s_pictures = new(Pictures(11), Pictures(3));

    [Fact]
    public void It_says_what_it_has()
    {
        var source = new PictureSource(s_pictures, Batch);
        Assert.Equal((12, s_shape, 3), (source.Width, source.Shape, source.Classes));
        Assert.Equal((11, 3, 11), (source.TrainingRows, source.TestRows, source.RowsPerEpoch));
        Assert.Null(source.Entropy);
    }

    [Fact]
    public void Each_epoch_shows_every_picture_once_in_an_order_of_its_own()
    {
        var source = new PictureSource(s_pictures, Batch);
        int[] shown = [.. Enumerable.Range(0, 11 * Batch).SelectMany(step => Shown(source, s_training with { Step = (uint)step }, 0, Batch))];
        int[][] epochs = [.. shown.Chunk(11)];
        Assert.All(epochs, epoch => Assert.Equal(Enumerable.Range(0, 11), epoch.Order()));
        Assert.Equal(epochs.Length, epochs.Select(epoch => string.Join(' ', epoch)).Distinct().Count());
        Assert.NotEqual(epochs[0], Shown(source, s_training with { Seed = 6 }, 0, 11));
    }

    [Fact]
    public void A_row_is_a_function_of_its_position()
    {
        var source = new PictureSource(s_pictures, Batch, flip: true);
        double[] all = new double[40 * 12], part = new double[3 * 12];
        source.Sample(s_training, 0, all);
        source.Sample(s_training with { Step = 5 }, 1, part); // positions 21, 22, 23
        Assert.Equal(all[(21 * 12)..(24 * 12)], part);
        int[] labels = new int[3], allLabels = new int[40];
        source.Labels(s_training, 0, allLabels);
        source.Labels(s_training with { Step = 5 }, 1, labels);
        Assert.Equal(allLabels[21..24], labels);
        Assert.Equal(Shown(new PictureSource(s_pictures, Batch), s_training, 0, 40).Select(picture => picture % 3), allLabels);
    }

    [Fact]
    public void Late_positions_work_and_rows_out_of_range_are_refused()
    {
        var source = new PictureSource(s_pictures, 1000);
        double[] late = new double[12], early = new double[12];
        source.Sample(s_training with { Step = 40_000_000 }, 999, late);
        source.Sample(s_training with { Step = (uint)((40_000_000_999 - (9L << 32)) / 1000) }, (40_000_000_999 - (9L << 32)) % 1000, early); // the low half
        Assert.NotEqual(early.Select(Noise), late.Select(Noise));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.Sample(s_training, -1, late));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.Sample(s_test, 1L << 32, late));
        Assert.Throws<ArgumentException>(() => source.Sample(s_test, 0, late.AsSpan(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PictureSource(s_pictures, 0));
    }

    [Fact]
    public void Test_rows_are_the_pictures_in_order_with_noise_of_the_row()
    {
        var source = new PictureSource(s_pictures, Batch, flip: true);
        Assert.Equal([0, 1, 2, 0, 1, 2, 0], Shown(source, s_test, 0, 7));
        double[] all = new double[7 * 12], other = new double[7 * 12];
        source.Sample(s_test, 0, all);
        new PictureSource(s_pictures, 3).Sample(s_test, 0, other);
        Assert.Equal(all, other);
        Assert.NotEqual(all[..12], all[36..48]); // picture 0 again, with other noise
        Assert.Equal(all[..12].Select(value => (int)(256 * value)), all[36..48].Select(value => (int)(256 * value)));
        source.Sample(s_test, 2, other.AsSpan(0, 24));
        Assert.Equal(all[24..48], other[..24]);
        int[] labels = new int[4];
        source.Labels(s_test, 1, labels);
        Assert.Equal([1, 2, 0, 1], labels);

        // The noise is not that of training under the same seed.
        source.Sample(s_training, 0, other);
        Assert.NotEqual(all[..12].Select(Noise), other[..12].Select(Noise));
    }

    [Fact]
    public void Half_of_the_training_pictures_are_mirrored_left_to_right()
    {
        const int rows = 4000;
        double[] points = new double[rows * 12], plain = new double[rows * 12];
        new PictureSource(s_pictures, Batch, flip: true).Sample(s_training, 0, points);
        new PictureSource(s_pictures, Batch).Sample(s_training, 0, plain);
        int mirrored = 0;
        for (int row = 0; row < rows; row++)
        {
            int[] bytes = Bytes(points.AsSpan(row * 12, 12)), straight = Bytes(plain.AsSpan(row * 12, 12));
            if (!bytes.SequenceEqual(straight))
            {
                mirrored++;
                Assert.Equal([.. new[] { 4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7 }.Select(i => straight[i])], bytes);
            }
        }

        Statistics.SharesAreEqual([mirrored, rows - mirrored]);
    }

    [Fact]
    public void Noise_is_uniform_on_the_interval_of_each_byte()
    {
        byte[] levels = [0, 1, 128, 254, 255, 255];
        var set = new PictureSet(new ImageShape(1, 6, 1), levels);
        var source = new PictureSource(new PictureSplit(set, set), 1);
        var points = new double[6 * 20_000];
        source.Sample(s_training, 0, points);
        Statistics.FollowsDistribution(u => u, [.. points.Select(Noise)]);
        for (int i = 0; i < points.Length; i++)
        {
            Assert.Equal(levels[i % 6], (int)Math.Floor(256 * points[i]));
        }

        // Neighbours, which share a word, are independent: so is the mean of their product.
        Statistics.MeanIs(0, points.Chunk(2).Select(pair => (Noise(pair[0]) - 0.5) * (Noise(pair[1]) - 0.5)));
    }

    [Fact]
    public void Every_value_is_exact_in_float32_and_the_largest_stays_below_one()
    {
        byte[] white = [.. Enumerable.Repeat((byte)255, 1000)];
        var set = new PictureSet(new ImageShape(1, 1000, 1), white);
        var points = new double[1000 * 1000];
        new PictureSource(new PictureSplit(set, set), 1).Sample(s_training, 0, points);
        Assert.Equal(1 - Math.Pow(2, -24), points.Max()); // occurs: a million draws of 2^16 values
        Assert.All(points, value => Assert.Equal(value, (double)(float)value));

        // The logit that MNIST takes, alpha = 1e-6, is finite in float32 at both ends of the range.
        foreach (float value in new[] { (float)points.Max(), 0f })
        {
            float s = 1e-6f + ((1 - 2e-6f) * value);
            Assert.True(float.IsFinite(MathF.Log(s) - MathF.Log(1 - s)));
        }
    }

    [Fact]
    public void Pictures_without_labels_have_no_classes()
    {
        var set = new PictureSet(s_shape, new byte[24]);
        var source = new PictureSource(new PictureSplit(set, set), 1);
        Assert.Equal(0, source.Classes);
        Assert.Throws<InvalidOperationException>(() => source.Labels(s_test, 0, new int[1]));
    }

    [Fact]
    public void Sets_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new PictureSet(s_shape, new byte[13]));
        Assert.Throws<ArgumentException>(() => new PictureSet(s_shape, []));
        Assert.Throws<ArgumentException>(() => new PictureSet(new ImageShape(0, 3, 1), new byte[3]));
        Assert.Throws<ArgumentException>(() => new PictureSet(s_shape, new byte[12], [1, 2], 3));
        Assert.Throws<ArgumentException>(() => new PictureSet(s_shape, new byte[12], [1]));
        Assert.Throws<ArgumentException>(() => new PictureSet(s_shape, new byte[12], [], 3));
        Assert.Contains("Label 3 of picture 1", Assert.Throws<ArgumentException>(() => new PictureSet(s_shape, new byte[24], [2, 3], 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new PictureSplit(Pictures(2), new PictureSet(s_shape, new byte[12])));
        Assert.Throws<ArgumentException>(() => new PictureSplit(Pictures(2), Pictures(2).Resized(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Pictures(2).Resized(20_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => Pictures(2).Resized(0));
    }

    [Fact]
    public void The_bytes_are_copied()
    {
        byte[] mine = new byte[12], labels = [1];
        var set = new PictureSet(s_shape, mine, labels, 2);
        (mine[0], labels[0]) = (7, 0);
        Assert.Equal((0, 1), (set.Picture(0)[0], set.Label(0)));
    }

    private static PictureSet Pictures(int count) => new(
        s_shape, [.. Enumerable.Range(0, count).SelectMany(i => Enumerable.Range(10 * i, 12).Select(value => (byte)value))],
        [.. Enumerable.Range(0, count).Select(i => (byte)(i % 3))], 3);

    private static int[] Shown(PictureSource source, RandomKey key, long firstRow, int rows)
    {
        var points = new double[rows * source.Width];
        source.Sample(key, firstRow, points);
        return [.. points.Chunk(source.Width).Select(row => row.Min(value => (int)(256 * value)) / 10)];
    }

    private static int[] Bytes(ReadOnlySpan<double> point) => [.. point.ToArray().Select(value => (int)(256 * value))];

    private static double Noise(double value) => (256 * value) - Math.Floor(256 * value);
}
