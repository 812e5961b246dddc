using System.Security.Cryptography;
using Lipschitz.Data;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Data;

public class BilinearResizeTests
{
    private static readonly byte[] s_colour = [0, 255, 7, 100, 30, 200, 255, 0, 13, 17, 90, 250, 33, 180, 1, 254, 128, 64];

    [Fact]
    public void Doubling_a_row_weighs_neighbours_three_to_one()
    {
        // Centres at 1/4, 3/4, 5/4, ... of the source: 0, (3·0 + 100)/4, (0 + 3·100)/4, (3·100 + 200)/4, (100 + 3·200)/4, 200.
        Assert.Equal([0, 25, 75, 125, 175, 200], Resize([0, 100, 200], new ImageShape(1, 3, 1), 1, 6));
        Assert.Equal([0, 25, 75, 125, 175, 200], Resize([0, 100, 200], new ImageShape(3, 1, 1), 6, 1));
    }

    [Fact]
    public void Halves_are_rounded_up() =>
        Assert.Equal([0, 3, 8, 10], Resize([0, 10], new ImageShape(1, 2, 1), 1, 4)); // 2.5 and 7.5

    [Fact]
    public void Halving_averages_with_a_triangle()
    {
        // Pixels at distance 1/2 and 3/2 of the centre weigh 3 to 1; the middle pixel of the target has four of them, those at the edge three.
        Assert.Equal([34, 0], Resize([80, 0, 0, 0], new ImageShape(1, 4, 1), 1, 2)); // 3/7 of 80
        Assert.Equal([0, 10, 34], Resize([0, 0, 0, 0, 80, 0], new ImageShape(1, 6, 1), 1, 3)); // 1/8 and 3/7
    }

    [Fact]
    public void Pictures_equal_those_of_pillow()
    {
        // Image.fromarray(a).resize((width, height), Image.BILINEAR) of Pillow 9.4.0.
        var shape = new ImageShape(2, 3, 3);
        Assert.Equal([31, 148, 118, 184, 80, 62], Resize(s_colour, shape, 1, 2));
        Assert.Equal(
            [
                0, 255, 7, 40, 165, 84, 100, 30, 200, 193, 12, 88, 255, 0, 13,
                9, 173, 129, 32, 146, 117, 67, 105, 101, 180, 81, 64, 255, 64, 39,
                17, 90, 250, 23, 126, 150, 33, 180, 1, 166, 149, 39, 254, 128, 64,
            ],
            Resize(s_colour, shape, 3, 5));
    }

    [Theory]
    [InlineData(32, "8d573851142a441ded57947b8d575573d1f4c3ff7299061737bdce033a1ed8fe")]
    [InlineData(14, "5ec0e6ce257704706055fcbae03d8c211c9b824be04a086cec82ad78c4893234")]
    public void Ten_thousand_digits_equal_those_of_pillow(int size, string sha256)
    {
        PictureSet digits = MnistSample.Load().Training.Resized(size);
        Assert.Equal(new ImageShape(size, size, 1), digits.Shape);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < digits.Count; i++)
        {
            hash.AppendData(digits.Picture(i));
        }

        Assert.Equal(sha256, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    [Fact]
    public void The_same_size_and_a_flat_picture_stay_as_they_are()
    {
        Assert.Equal(s_colour, Resize(s_colour, new ImageShape(2, 3, 3), 2, 3));
        foreach (byte level in new byte[] { 0, 1, 127, 254, 255 })
        {
            byte[] flat = [.. Enumerable.Repeat(level, 7 * 5)];
            Assert.All(Resize(flat, new ImageShape(7, 5, 1), 13, 3), value => Assert.Equal(level, value));
        }
    }

    [Fact]
    public void Wrong_sizes_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new BilinearResize(new ImageShape(2, 3, 3), 0, 4));
        Assert.Throws<ArgumentException>(() => new BilinearResize(new ImageShape(2, 3, 3), 4, 4).Apply(s_colour, new byte[47]));
    }

    private static byte[] Resize(byte[] source, ImageShape shape, int height, int width)
    {
        var resize = new BilinearResize(shape, height, width);
        byte[] target = new byte[resize.Target.Count];
        resize.Apply(source, target);
        return target;
    }
}
