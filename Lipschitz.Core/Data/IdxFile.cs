using System.Buffers.Binary;
using Lipschitz.Tensors;

namespace Lipschitz.Data;

/// <summary>Reads IDX files of bytes, the format of MNIST: pictures with three dimensions, labels with one; gzipped or not.</summary>
/// <remarks>
/// Two zero bytes, the type (8 for bytes), the number of dimensions, each dimension as a big-endian 32-bit number, and the bytes
/// (LeCun, Cortes and Burges, "The MNIST database").
/// </remarks>
public static class IdxFile
{
    private const byte UnsignedByte = 8;
    private const int LargestSide = 4096;

    /// <summary>The grey pictures in one file with the labels in another.</summary>
    /// <param name="images">A file of three dimensions: pictures, rows, columns.</param>
    /// <param name="labels">A file of one dimension as long.</param>
    /// <param name="classes">The number of classes, at most 256.</param>
    /// <exception cref="DataFormatException">A file is damaged or holds something else; the message says which and what to do.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static PictureSet Read(string images, string labels, int classes)
    {
        using BoundedInput pictureBytes = BoundedInput.Open(images), labelBytes = BoundedInput.Open(labels);
        return Read(pictureBytes, images, labelBytes, labels, classes);
    }

    /// <summary>The grey pictures in one file, without labels.</summary>
    /// <exception cref="DataFormatException">The file is damaged or holds something else; the message says what to do.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PictureSet ReadPictures(string path)
    {
        using BoundedInput bytes = BoundedInput.Open(path);
        (ImageShape shape, byte[] pixels) = Pictures(bytes, path);
        return PictureSet.Of(shape, pixels);
    }

    /// <summary>As <see cref="Read(string, string, int)"/>, from streams.</summary>
    internal static PictureSet Read(BoundedInput images, string imagePath, BoundedInput labels, string labelPath, int classes)
    {
        (ImageShape shape, byte[] pixels) = Pictures(images, imagePath);
        byte[] values = Bytes(labels, labelPath, Header(labels, labelPath, 1, "labels"));
        int count = pixels.Length / shape.Count;
        if (values.Length != count)
        {
            throw new DataFormatException(labelPath, $"holds {values.Length} labels, but {imagePath} {count} pictures; they do not belong together");
        }

        int wrong = values.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(classes - 1));
        return wrong < 0
            ? PictureSet.Of(shape, pixels, values, classes)
            : throw new DataFormatException(labelPath, $"label {values[wrong]} of picture {wrong} is not in 0..{classes - 1}; get it again");
    }

    private static (ImageShape Shape, byte[] Pixels) Pictures(BoundedInput stream, string path)
    {
        uint[] lengths = Header(stream, path, 3, "pictures");
        if (lengths[1] is 0 or > LargestSide || lengths[2] is 0 or > LargestSide)
        {
            throw new DataFormatException(path, $"claims pictures of {lengths[1]} x {lengths[2]} pixels; 1 to {LargestSide} can be read");
        }

        return (new ImageShape((int)lengths[1], (int)lengths[2], 1), Bytes(stream, path, lengths));
    }

    private static uint[] Header(BoundedInput stream, string path, int dimensions, string kind)
    {
        Span<byte> start = stackalloc byte[4 * (dimensions + 1)];
        int read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (read < 4 || start is not [0, 0, _, _, ..])
        {
            throw new DataFormatException(path, "is no IDX file: it does not begin with two zero bytes and a type; get it again");
        }

        if (start[2] != UnsignedByte)
        {
            throw new DataFormatException(path, $"holds numbers of type 0x{start[2]:x2}, expected bytes (0x08); get MNIST's original files");
        }

        if (start[3] != dimensions)
        {
            throw new DataFormatException(path, $"has {start[3]} dimensions, {kind} have {dimensions}; is it the right file?");
        }

        if (read < start.Length)
        {
            throw new DataFormatException(path, $"is truncated within its header of {start.Length} bytes; get it again");
        }

        uint[] lengths = new uint[dimensions];
        for (int i = 0; i < dimensions; i++)
        {
            lengths[i] = BinaryPrimitives.ReadUInt32BigEndian(start[(4 * (i + 1))..]);
        }

        return lengths[0] > 0 ? lengths : throw new DataFormatException(path, $"holds no {kind}; get it again");
    }

    // The rest of the file, as much as the header claims and not a byte more.
    private static byte[] Bytes(BoundedInput stream, string path, uint[] lengths)
    {
        double claimed = lengths.Aggregate(1.0, (product, length) => product * length);
        string description = string.Join(" x ", lengths);
        if (claimed > PictureSet.MostBytes)
        {
            throw new DataFormatException(path, $"claims {description} bytes; at most {PictureSet.MostBytes} can be read");
        }

        if (stream.Left is { } left && left != (long)claimed)
        {
            string state = left < claimed ? "truncated" : "longer than its header says";
            throw new DataFormatException(path, $"is {state}: {description} bytes are claimed, {left} are there; get it again");
        }

        byte[] bytes = BoundedInput.ReadArray(stream, (int)claimed, path);
        return stream.ReadByte() < 0
            ? bytes
            : throw new DataFormatException(path, $"is longer than its header says ({description} bytes); get it again");
    }
}
