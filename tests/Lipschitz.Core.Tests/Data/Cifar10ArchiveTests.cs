using System.Formats.Tar;
using Lipschitz.Data;
using Lipschitz.Tensors;
using static Lipschitz.Core.Tests.Data.PictureFiles;

namespace Lipschitz.Core.Tests.Data;

public sealed class Cifar10ArchiveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cifar").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(TarEntryFormat.V7, true)]
    [InlineData(TarEntryFormat.Ustar, true)]
    [InlineData(TarEntryFormat.Gnu, true)]
    [InlineData(TarEntryFormat.Pax, true)]
    [InlineData(TarEntryFormat.Pax, false)]
    public void Batches_are_read_in_the_order_of_their_numbers(TarEntryFormat format, bool packed)
    {
        byte[] tar = Tar(
            format,
            ("cifar-10-batches-bin/data_batch_3.bin", Cifar(2, first: 30)),
            ("cifar-10-batches-bin/readme.html", "<html>"u8.ToArray()),
            ("./cifar-10-batches-bin/data_batch_1.bin", Cifar(3, first: 10)),
            ("test_batch.bin", Cifar(4, first: 50)));
        PictureSplit split = Cifar10Archive.Load(Save("a", packed ? Pack(tar) : tar));
        Assert.Equal((5, 4, 10), (split.Training.Count, split.Test.Count, split.Training.Classes));
        Assert.Equal([10, 11, 12, 30, 31], Enumerable.Range(0, 5).Select(i => (int)split.Training.Picture(i)[0]));
        Assert.Equal([0, 1, 2, 0, 1], Enumerable.Range(0, 5).Select(split.Training.Label));
        Assert.Equal(53, split.Test.Picture(3)[0]);
    }

    [Fact]
    public void Planes_become_channels()
    {
        PictureSet pictures = Cifar10Archive.Load(Save("a", CifarArchive())).Training;
        Assert.Equal(new ImageShape(32, 32, 3), pictures.Shape);
        ReadOnlySpan<byte> picture = pictures.Picture(7);
        for (int y = 0; y < 32; y++)
        {
            for (int x = 0; x < 32; x++)
            {
                Assert.Equal([7, (byte)x, (byte)(100 + y)], picture.Slice(3 * ((32 * y) + x), 3).ToArray());
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("cifar-10-batches-bin")]
    public void A_folder_is_read(string inner)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, inner)).FullName;
        File.WriteAllBytes(Path.Combine(folder, "data_batch_2.bin"), Cifar(3, first: 20));
        File.WriteAllBytes(Path.Combine(folder, "data_batch_5.bin"), Cifar(1, first: 90));
        File.WriteAllBytes(Path.Combine(folder, "test_batch.bin"), Cifar(2));
        Assert.True(Cifar10Archive.IsIn(_folder));
        PictureSplit split = Cifar10Archive.Load(_folder);
        Assert.Equal([20, 21, 22, 90], Enumerable.Range(0, 4).Select(i => (int)split.Training.Picture(i)[0]));
        File.Delete(Path.Combine(folder, "test_batch.bin"));
        Assert.Contains("has no test_batch.bin; get the binary version from https://", Message(_folder), StringComparison.Ordinal);
        File.WriteAllBytes(Path.Combine(folder, "test_batch.bin"), Cifar(2)[..^1]);
        Assert.Contains("test_batch.bin: has 6145 bytes", Message(_folder), StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_say_what_is_wrong()
    {
        (string, byte[]) training = ("data_batch_1.bin", Cifar(2)), test = ("test_batch.bin", Cifar(1));
        byte[] wrongLabel = Cifar(2);
        wrongLabel[RecordLength] = 10;
        Assert.Contains("is empty", Refused([]), StringComparison.Ordinal);
        Assert.Contains("is no tar archive", Refused(new byte[2000].Select(_ => (byte)1).ToArray()), StringComparison.Ordinal);
        Assert.Contains("has no data_batch_1.bin", Refused(Tar(TarEntryFormat.Ustar, test)), StringComparison.Ordinal);
        Assert.Contains("has no test_batch.bin", Refused(Tar(TarEntryFormat.Ustar, training)), StringComparison.Ordinal);
        Assert.Contains("has data_batch_1.bin twice", Refused(Tar(TarEntryFormat.Ustar, training, training, test)), StringComparison.Ordinal);
        Assert.Contains("has 3072 bytes, expected", Refused(Tar(TarEntryFormat.Ustar, ("data_batch_1.bin", new byte[3072]), test)), StringComparison.Ordinal);
        Assert.Contains("has 0 bytes, expected", Refused(Tar(TarEntryFormat.Ustar, ("data_batch_1.bin", []), test)), StringComparison.Ordinal);
        Assert.Contains(
            "data_batch_1.bin: label 10 of record 1 is not in 0..9", Refused(Tar(TarEntryFormat.Ustar, ("data_batch_1.bin", wrongLabel), test)), StringComparison.Ordinal);
        Assert.Contains("member 'data_batch_1', which", Refused(Tar(TarEntryFormat.Ustar, ("data_batch_1", [1]), test)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../data_batch_1.bin")]
    [InlineData("a/../../data_batch_1.bin")]
    [InlineData("/data_batch_1.bin")]
    [InlineData("..\\data_batch_1.bin")]
    [InlineData("C:data_batch_1.bin")]
    [InlineData("")]
    public void A_name_that_leads_out_is_refused(string name) => Assert.Contains(
        $"its member '{name}' leads out of the archive",
        Refused([.. TarHeader(name, '0', RecordLength), .. Cifar(1), .. new byte[511], .. new byte[1024]]),
        StringComparison.Ordinal);

    [Theory]
    [InlineData('1')]
    [InlineData('2')]
    [InlineData('3')]
    [InlineData('L')]
    [InlineData('S')]
    public void Links_and_devices_are_refused(char kind) => Assert.Contains(
        "is a link, a device or of an unknown kind", Refused([.. TarHeader("data_batch_1.bin", kind, 0), .. new byte[1024]]), StringComparison.Ordinal);

    [Theory]
    [InlineData('0', "data_batch_1.bin", 3073L * 50_000, "truncated")]
    [InlineData('0', "data_batch_1.bin", 3073L * 50_001, "expected 1 to 50000 records")]
    [InlineData('0', "data_batch_1.bin", 8L << 30, "expected 1 to 50000 records")]
    [InlineData('x', "attributes", 2_000_000_000, "truncated")]
    [InlineData('g', "attributes", 8_000_000_000, "truncated")]
    [InlineData('5', "folder", 8_000_000_000, "truncated")]
    public void A_claim_takes_no_memory(char kind, string name, long length, string reason)
    {
        byte[] tar = [.. TarHeader(name, kind, length), .. new byte[1024]];
        IdxFileTests.AllocatesLittle(() => Assert.Contains(reason, Refused(tar), StringComparison.Ordinal));
        IdxFileTests.AllocatesLittle(() => Assert.Contains(reason, Refused(Pack(tar)), StringComparison.Ordinal));
    }

    [Fact]
    public void A_bomb_is_refused_early()
    {
        byte[] bomb = Bomb(TarHeader("attributes", 'x', 8L << 30), 40 << 20);
        IdxFileTests.AllocatesLittle(() => Assert.Contains("unpacks to more than", Refused(bomb), StringComparison.Ordinal));
    }

    [Fact]
    public void Truncations_are_refused()
    {
        byte[] tar = Tar(TarEntryFormat.Ustar, ("data_batch_1.bin", Cifar(1)), ("test_batch.bin", Cifar(1)));
        byte[] packed = Pack(tar);
        int end = 2 * (512 + 3584); // then two blocks of zeros mark the end
        for (int length = 0; length < end + 512; length += length % 512 == 100 ? 412 : 100)
        {
            Refused(tar[..length]);
        }

        for (int length = 0; length < packed.Length; length++)
        {
            Refused(packed[..length]);
        }
    }

    [Fact]
    public void Whatever_bit_of_a_header_is_flipped_the_archive_is_refused_in_one_line()
    {
        byte[] tar = Tar(TarEntryFormat.Ustar, ("data_batch_1.bin", Cifar(1)), ("test_batch.bin", Cifar(1)));
        for (int i = 0; i < 512 * 8; i++)
        {
            byte[] damaged = [.. tar];
            damaged[i / 8] ^= (byte)(1 << (i % 8));
            try
            {
                Cifar10Archive.Load(Save("bad", damaged));
                Assert.InRange(i / 8, 148, 155); // the checksum's own blank or NUL may change
            }
            catch (DataFormatException exception)
            {
                Assert.DoesNotContain('\n', exception.Message);
            }
        }
    }

    [Fact]
    public void Names_with_odd_characters_keep_messages_on_one_line() => Assert.DoesNotContain(
        '\n', Refused([.. TarHeader("evil\nerror: \u001b[31m", '0', 0), .. new byte[1024]]));

    [Fact]
    public void Nothing_is_written_to_disk()
    {
        string path = Save("a", CifarArchive());
        string[] before = Directory.GetFileSystemEntries(_folder);
        Cifar10Archive.Load(path);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder));
    }

    private string Refused(byte[] bytes) => Message(Save("bad", bytes));

    private static string Message(string path)
    {
        string message = Assert.Throws<DataFormatException>(() => Cifar10Archive.Load(path)).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
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
