using Lipschitz.Data;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Data;

public sealed class MnistTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mnist").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_sample_is_the_beginning_of_mnist()
    {
        PictureSplit digits = MnistSample.Load();
        Assert.Equal((10_000, 2_000), (digits.Training.Count, digits.Test.Count));
        Assert.Equal((new ImageShape(28, 28, 1), 10), (digits.Training.Shape, digits.Test.Classes));
        Assert.Equal([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], Enumerable.Range(0, 10).Select(digits.Training.Label));
        Assert.Equal([7, 2, 1, 0, 4, 1, 4, 9, 5, 9], Enumerable.Range(0, 10).Select(digits.Test.Label));

        // The first row of the first digit that is not empty.
        byte[] five = digits.Training.Picture(0).ToArray();
        Assert.All(five[..(5 * 28)], value => Assert.Equal(0, value));
        Assert.Equal([3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127], five[((5 * 28) + 12)..((5 * 28) + 24)]);
        int[] counts = new int[10];
        for (int i = 0; i < digits.Training.Count; i++)
        {
            counts[digits.Training.Label(i)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_folder_is_read_packed_or_not(bool packed)
    {
        PictureFiles.WriteMnist(_folder, packed: packed);
        Assert.True(Mnist.IsIn(_folder));
        PictureSplit split = Mnist.Load(_folder);
        Assert.Equal((12, 4, 10), (split.Training.Count, split.Test.Count, split.Test.Classes));
        Assert.Equal([18, 19, 20, 21, 22, 23], split.Test.Picture(3).ToArray());
    }

    [Fact]
    public void Names_with_a_dot_are_known()
    {
        PictureFiles.WriteMnist(_folder);
        File.Move(Path.Combine(_folder, "t10k-images-idx3-ubyte"), Path.Combine(_folder, "t10k-images.idx3-ubyte"));
        Assert.Equal(4, Mnist.Load(_folder).Test.Count);
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte")]
    [InlineData("train-labels-idx1-ubyte")]
    [InlineData("t10k-images-idx3-ubyte")]
    [InlineData("t10k-labels-idx1-ubyte")]
    public void A_missing_file_is_named(string name)
    {
        PictureFiles.WriteMnist(_folder);
        File.Delete(Path.Combine(_folder, name));
        string message = Assert.Throws<DataFormatException>(() => Mnist.Load(_folder)).Message;
        Assert.StartsWith($"{_folder}: has no {name}.gz", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_of_two_sets_are_refused()
    {
        PictureFiles.WriteMnist(_folder);
        File.WriteAllBytes(Path.Combine(_folder, "t10k-images-idx3-ubyte"), PictureFiles.Idx(new byte[4 * 9], 4, 3, 3));
        Assert.Contains(
            "training pictures of 2x3x1 and test pictures of 3x3x1",
            Assert.Throws<DataFormatException>(() => Mnist.Load(_folder)).Message, StringComparison.Ordinal);
        Assert.False(Mnist.IsIn(Path.Combine(_folder, "none")));
    }
}
