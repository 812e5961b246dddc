using Lipschitz.Tensors;

namespace Lipschitz.Data;

/// <summary>
/// Reads the binary version of CIFAR-10: the archive as it is (.tar.gz, or .tar; nothing is unpacked to disk), or a folder with its files.
/// </summary>
/// <remarks>
/// A record is a label byte and the red, green and blue planes of a 32 x 32 picture, 3073 bytes (Krizhevsky, "Learning Multiple Layers of
/// Features from Tiny Images", 2009). Any of the five training batches may be missing, and each may have any number of records.
/// </remarks>
public static class Cifar10Archive
{
    /// <summary>Where the original is.</summary>
    public const string Address = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";

    private const int Classes = 10;
    private const int RecordLength = 1 + (3 * Side * Side);
    private const int Side = 32;
    private const int MostRecords = 50_000; // of a file; the original has 10,000
    private const string InnerFolder = "cifar-10-batches-bin";
    private const string Test = "test_batch.bin";
    private static readonly string[] s_training = [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")];
    private static readonly string[] s_others = ["batches.meta.txt", "readme.html"];
    private static readonly ImageShape s_shape = new(Side, Side, 3);

    /// <summary>Whether a folder, or its folder cifar-10-batches-bin, has one of the files.</summary>
    public static bool IsIn(string folder) => s_training.Append(Test).Any(
        name => File.Exists(Path.Combine(folder, name)) || File.Exists(Path.Combine(folder, InnerFolder, name)));

    /// <summary>The pictures, 32 x 32 in colour, with their labels of ten classes.</summary>
    /// <param name="path">The archive, or the folder it unpacks to, or the folder around that.</param>
    /// <exception cref="DataFormatException">Something is missing, damaged or not CIFAR-10; the message says what and where.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static PictureSplit Load(string path)
    {
        Dictionary<string, byte[]> batches = Directory.Exists(path) ? ReadFolder(path) : ReadArchive(path);
        byte[][] training = [.. s_training.Where(batches.ContainsKey).Select(name => batches[name])];
        if (training.Length == 0 || !batches.TryGetValue(Test, out byte[]? test))
        {
            string missing = training.Length == 0 ? "data_batch_1.bin" : Test;
            throw new DataFormatException(path, $"has no {missing}; get the binary version from {Address}");
        }

        return new PictureSplit(Join(training), Join([test]));
    }

    private static PictureSet Join(IReadOnlyList<byte[]> batches)
    {
        int count = batches.Sum(batch => batch.Length / RecordLength);
        byte[] pixels = new byte[count * s_shape.Count], labels = new byte[count];
        int picture = 0;
        foreach (byte[] batch in batches)
        {
            for (int start = 0; start < batch.Length; start += RecordLength, picture++)
            {
                labels[picture] = batch[start];
                Interleave(batch.AsSpan(start + 1, s_shape.Count), pixels.AsSpan(picture * s_shape.Count, s_shape.Count));
            }
        }

        return PictureSet.Of(s_shape, pixels, labels, Classes);
    }

    // Red, green and blue planes become pixels.
    private static void Interleave(ReadOnlySpan<byte> planes, Span<byte> picture)
    {
        for (int pixel = 0; pixel < s_shape.Pixels; pixel++)
        {
            for (int c = 0; c < s_shape.Channels; c++)
            {
                picture[(pixel * s_shape.Channels) + c] = planes[(c * s_shape.Pixels) + pixel];
            }
        }
    }

    private static Dictionary<string, byte[]> ReadFolder(string path)
    {
        string inner = Path.Combine(path, InnerFolder);
        string folder = Directory.Exists(inner) ? inner : path;
        var batches = new Dictionary<string, byte[]>();
        foreach (string name in s_training.Append(Test))
        {
            string file = Path.Combine(folder, name);
            if (File.Exists(file))
            {
                using BoundedInput bytes = BoundedInput.Open(file);
                long length = bytes.Left ?? throw new DataFormatException(file, "is compressed; unpack it, or read the whole archive");
                CheckLength(length, file);
                batches.Add(name, CheckLabels(BoundedInput.ReadArray(bytes, (int)length, file), file));
            }
        }

        return batches;
    }

    private static Dictionary<string, byte[]> ReadArchive(string path)
    {
        using BoundedInput bytes = BoundedInput.Open(path);
        var archive = new TarArchive(bytes, path);
        var batches = new Dictionary<string, byte[]>();
        while (archive.Next())
        {
            string name = archive.Name[(archive.Name.LastIndexOf('/') + 1)..], place = $"{path}, {archive.Name}";
            if (s_training.Contains(name) || name == Test)
            {
                CheckLength(archive.Length, place);
                if (!batches.TryAdd(name, CheckLabels(archive.Read(), place)))
                {
                    throw new DataFormatException(path, $"has {name} twice; get the original archive");
                }
            }
            else if (!s_others.Contains(name))
            {
                throw new DataFormatException(
                    path, $"has a member '{archive.Name}', which the binary version of CIFAR-10 has not; get that from {Address}");
            }
        }

        return batches;
    }

    private static void CheckLength(long length, string place)
    {
        if (length == 0 || length % RecordLength != 0 || length / RecordLength > MostRecords)
        {
            throw new DataFormatException(
                place, $"has {length} bytes, expected 1 to {MostRecords} records of {RecordLength}; get the binary version from {Address}");
        }
    }

    private static byte[] CheckLabels(byte[] records, string place)
    {
        for (int start = 0; start < records.Length; start += RecordLength)
        {
            if (records[start] >= Classes)
            {
                throw new DataFormatException(
                    place, $"label {records[start]} of record {start / RecordLength} is not in 0..9; get the binary version from {Address}");
            }
        }

        return records;
    }
}
