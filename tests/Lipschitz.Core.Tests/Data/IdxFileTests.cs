using Lipschitz.Data;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Data.PictureFiles;

namespace Lipschitz.Core.Tests.Data;

public sealed class IdxFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idx").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pictures_and_labels_are_read(bool packed)
    {
        byte[] images = IdxPictures(12), labels = IdxLabels(12);
        PictureSet set = IdxFile.Read(Save("i", packed ? Pack(images) : images), Save("l", packed ? Pack(labels) : labels), 10);
        Assert.Equal((new ImageShape(2, 3, 1), 12, 10), (set.Shape, set.Count, set.Classes));
        Assert.Equal([66, 67, 68, 69, 70, 71], set.Picture(11).ToArray());
        Assert.Equal(Enumerable.Range(0, 12).Select(i => i % 10), Enumerable.Range(0, 12).Select(set.Label));
        Assert.Equal(0, IdxFile.ReadPictures(Save("i", images)).Classes);
    }

    [Fact]
    public void More_than_one_chunk_is_read()
    {
        byte[] content = Counting(3 * 1024 * 1024);
        foreach (byte[] file in new[] { Idx(content, 3, 1024, 1024), Pack(Idx(content, 3, 1024, 1024)) })
        {
            PictureSet set = IdxFile.ReadPictures(Save("i", file));
            Assert.True(set.Picture(2).SequenceEqual(content.AsSpan(2 << 20)));
        }
    }

    [Fact]
    public void Every_truncation_and_any_extension_is_refused()
    {
        byte[] images = IdxPictures(12);
        foreach (byte[] file in new[] { images, Pack(images) })
        {
            for (int length = 0; length < file.Length; length++)
            {
                Refused(file[..length]);
            }
        }

        Refused([.. images, 0]);
        Refused(Pack([.. images, 0]));
        Refused([.. Pack(images), .. Pack(images)]);
    }

    [Fact]
    public void Whatever_bit_is_flipped_the_file_is_read_or_refused_in_one_line()
    {
        byte[] plain = IdxPictures(2), packed = Pack(IdxPictures(2));
        foreach (byte[] good in new[] { plain, packed })
        {
            for (int i = 0; i < good.Length * 8; i++)
            {
                byte[] damaged = [.. good];
                damaged[i / 8] ^= (byte)(1 << (i % 8));
                try
                {
                    IdxFile.ReadPictures(Save("i", damaged));
                }
                catch (DataFormatException exception)
                {
                    Assert.DoesNotContain('\n', exception.Message);
                }
            }
        }
    }

    [Fact]
    public void Messages_say_what_is_wrong()
    {
        byte[] good = IdxPictures(2);
        Assert.Contains("is empty", Refused([]), StringComparison.Ordinal);
        Assert.Contains("is no IDX file", Refused([1, .. good[1..]]), StringComparison.Ordinal);
        Assert.Contains("type 0x0d", Refused([0, 0, 13, .. good[3..]]), StringComparison.Ordinal);
        Assert.Contains("has 1 dimensions, pictures have 3", Refused(IdxLabels(2)), StringComparison.Ordinal);
        Assert.Contains("truncated within its header", Refused(good[..9]), StringComparison.Ordinal);
        Assert.Contains("holds no pictures", Refused(Idx([], 0, 2, 3)), StringComparison.Ordinal);
        Assert.Contains("pictures of 0 x 3", Refused(Idx([], 2, 0, 3)), StringComparison.Ordinal);
        Assert.Contains("pictures of 2 x 5000", Refused(Idx([], 2, 2, 5000)), StringComparison.Ordinal);
        Assert.Contains("is truncated: 2 x 2 x 3 bytes are claimed, 11 are there", Refused(good[..^1]), StringComparison.Ordinal);
        Assert.Contains("only 11 are there", Refused(Pack(good[..^1])), StringComparison.Ordinal);
        Assert.Contains("longer than its header says", Refused([.. good, 1]), StringComparison.Ordinal);
        Assert.Contains("longer than its header says", Refused(Pack([.. good, 1])), StringComparison.Ordinal);
        Assert.Contains("(gzip)", Refused(Pack(good)[..^9]), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_must_fit()
    {
        string images = Save("i", IdxPictures(3)), labels = Save("l", IdxLabels(4));
        string message = Assert.Throws<DataFormatException>(() => IdxFile.Read(images, labels, 10)).Message;
        Assert.StartsWith($"{labels}: holds 4 labels, but {images} 3 pictures", message, StringComparison.Ordinal);
        Save("l", Idx([0, 10, 2], 3));
        Assert.Contains(
            "label 10 of picture 1 is not in 0..9", Assert.Throws<DataFormatException>(() => IdxFile.Read(images, labels, 10)).Message, StringComparison.Ordinal);
        Assert.Throws<DataFormatException>(() => IdxFile.Read(labels, images, 10));
    }

    [Theory]
    [InlineData(1u << 31, 1u, 1u)]
    [InlineData(uint.MaxValue, 4096u, 4096u)]
    [InlineData(1u << 20, 28u, 28u)] // below the limit, but not there
    public void A_claim_takes_no_memory(uint count, uint height, uint width)
    {
        byte[] header = Idx([], count, height, width);
        AllocatesLittle(() => Refused(header));
        AllocatesLittle(() => Refused(Pack(header)));
    }

    [Fact]
    public void A_bomb_is_refused_early()
    {
        byte[] honest = Bomb(Idx([], 40, 1024, 1024), 40 << 20), silent = Bomb(Idx([], 2, 2, 3), 40 << 20);
        AllocatesLittle(() => Assert.Contains("unpacks to more than", Refused(honest), StringComparison.Ordinal), 20 << 20);
        AllocatesLittle(() => Assert.Contains("longer than its header says", Refused(silent), StringComparison.Ordinal));
    }

    internal static void AllocatesLittle(Action action, long most = 8 << 20)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, most);
    }

    private string Refused(byte[] bytes)
    {
        string path = Save("bad", bytes);
        string message = Assert.Throws<DataFormatException>(() => IdxFile.ReadPictures(path)).Message;
        Assert.StartsWith(path + ": ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private string Save(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
