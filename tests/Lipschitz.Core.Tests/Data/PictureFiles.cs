using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Lipschitz.Core.Tests.Data;

/// <summary>Makes small files of pictures, sound and damaged.</summary>
public static class PictureFiles
{
    /// <summary>The bytes of a record of CIFAR-10.</summary>
    public const int RecordLength = 3073;

    /// <summary>An IDX file.</summary>
    public static byte[] Idx(ReadOnlySpan<byte> content, params ReadOnlySpan<uint> lengths)
    {
        byte[] bytes = new byte[4 + (4 * lengths.Length) + content.Length];
        (bytes[2], bytes[3]) = (8, (byte)lengths.Length);
        for (int i = 0; i < lengths.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 + (4 * i)), lengths[i]);
        }

        content.CopyTo(bytes.AsSpan(4 + (4 * lengths.Length)));
        return bytes;
    }

    /// <summary>Grey pictures of 2 x 3 pixels that count up from 0.</summary>
    public static byte[] IdxPictures(int count) => Idx(Counting(6 * count), (uint)count, 2, 3);

    /// <summary>Labels 0, 1, 2, ..., 9, 0, ...</summary>
    public static byte[] IdxLabels(int count) => Idx([.. Enumerable.Range(0, count).Select(i => (byte)(i % 10))], (uint)count);

    /// <summary>The four files of MNIST, of pictures of 2 x 3 pixels.</summary>
    public static void WriteMnist(string folder, int training = 12, int test = 4, bool packed = false)
    {
        Directory.CreateDirectory(folder);
        foreach ((string part, int count) in new[] { ("train", training), ("t10k", test) })
        {
            foreach ((string kind, byte[] bytes) in new[] { ("images-idx3", IdxPictures(count)), ("labels-idx1", IdxLabels(count)) })
            {
                string path = Path.Combine(folder, $"{part}-{kind}-ubyte");
                File.WriteAllBytes(packed ? path + ".gz" : path, packed ? Pack(bytes) : bytes);
            }
        }
    }

    /// <summary>Records of CIFAR-10: label i modulo 10; red all i, green counting columns, blue counting rows.</summary>
    public static byte[] Cifar(int count, int first = 0)
    {
        byte[] bytes = new byte[count * RecordLength];
        for (int i = 0; i < count; i++)
        {
            Span<byte> record = bytes.AsSpan(i * RecordLength, RecordLength);
            record[0] = (byte)((first + i) % 10);
            for (int pixel = 0; pixel < 1024; pixel++)
            {
                record[1 + pixel] = (byte)(first + i);
                record[1 + 1024 + pixel] = (byte)(pixel % 32);
                record[1 + 2048 + pixel] = (byte)(100 + (pixel / 32));
            }
        }

        return bytes;
    }

    /// <summary>A tar archive as System.Formats.Tar writes it.</summary>
    public static byte[] Tar(TarEntryFormat format, params (string Name, byte[] Content)[] files)
    {
        var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, format, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in files)
            {
                using var data = new MemoryStream(content);
                writer.WriteEntry(format switch
                {
                    TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name) { DataStream = data },
                    TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
                    _ => new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
                });
            }
        }

        return stream.ToArray();
    }

    /// <summary>The header of a tar member, with whatever name, kind and length.</summary>
    public static byte[] TarHeader(string name, char kind, long length)
    {
        byte[] header = new byte[512];
        void Put(int place, string text) => Encoding.ASCII.GetBytes(text).CopyTo(header, place);
        Put(0, name);
        Put(124, Convert.ToString(length, 8).PadLeft(11, '0'));
        header[156] = (byte)kind;
        Put(257, "ustar");
        Put(148, "        ");
        Put(148, Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0");
        return header;
    }

    /// <summary>A small archive of CIFAR-10.</summary>
    public static byte[] CifarArchive(int training = 12, int test = 4) => Pack(Tar(
        TarEntryFormat.Ustar,
        ("cifar-10-batches-bin/batches.meta.txt", "airplane\n"u8.ToArray()),
        ("cifar-10-batches-bin/data_batch_1.bin", Cifar(training)),
        ("cifar-10-batches-bin/test_batch.bin", Cifar(test, first: 50))));

    /// <summary>gzip.</summary>
    public static byte[] Pack(byte[] bytes)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.SmallestSize))
        {
            gzip.Write(bytes);
        }

        return stream.ToArray();
    }

    /// <summary>A gzip file that unpacks to <paramref name="start"/> and then zeros.</summary>
    public static byte[] Bomb(byte[] start, int zeros)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal))
        {
            gzip.Write(start);
            byte[] block = new byte[1 << 20];
            for (; zeros > 0; zeros -= block.Length)
            {
                gzip.Write(block);
            }
        }

        return stream.ToArray();
    }

    /// <summary>0, 1, 2, ..., 255, 0, ...</summary>
    public static byte[] Counting(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)i)];
}
