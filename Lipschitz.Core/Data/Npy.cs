using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Lipschitz.Data;

/// <summary>
/// Reads and writes NumPy's .npy files of float32, float64 and int64 numbers, 1-D and 2-D, little-endian, in row-major order.
/// </summary>
/// <remarks>
/// The format is "\x93NUMPY", a version (1 or 2), the length of the header, a header that is a Python dictionary such as
/// {'descr': '&lt;f4', 'fortran_order': False, 'shape': (3, 2), }, and the numbers (NumPy enhancement proposal 1). Every size is
/// checked against the length of the file before memory is taken. Little-endian machines only.
/// </remarks>
public static class Npy
{
    private const int LongestHeader = 1 << 16;

    /// <summary>The array in the file at <paramref name="path"/>.</summary>
    /// <exception cref="DataFormatException">The file is damaged or holds something else; the message says what to do.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static NpyArray Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Read(stream, path);
    }

    /// <summary>The array in the rest of a seekable stream; <paramref name="path"/> names it in messages.</summary>
    /// <exception cref="DataFormatException">The contents are damaged or something else; the message says what to do.</exception>
    public static NpyArray Read(Stream stream, string path)
    {
        try
        {
            NpyHeader header = ReadHeader(stream, path);
            long left = stream.Length - stream.Position;
            (int[] shape, int count) = CheckShape(header.Shape, path);
            int elementSize = header.Descr switch
            {
                "<f4" => sizeof(float),
                "<f8" or "<i8" => sizeof(long),
                _ => throw new DataFormatException(
                    path, $"holds numbers of type '{header.Descr}'; save it with numpy.save(path, a.astype('<f4')), '<f8' or '<i8'"),
            };
            if (header.FortranOrder && shape.Length > 1)
            {
                throw new DataFormatException(
                    path, "is in Fortran (column-major) order; save it with numpy.save(path, numpy.ascontiguousarray(a))");
            }

            long needed = (long)count * elementSize;
            if (left != needed)
            {
                string state = left < needed ? "truncated" : "longer than its header says";
                throw new DataFormatException(
                    path, $"is {state}: {count} numbers need {needed} bytes after the header, found {left}; save it again");
            }

            Array values = header.Descr switch
            {
                "<f4" => ReadValues<float>(stream, count),
                "<f8" => ReadValues<double>(stream, count),
                _ => ReadValues<long>(stream, count),
            };
            return new NpyArray(shape, values);
        }
        catch (EndOfStreamException)
        {
            throw new DataFormatException(path, "ends too early; save it again with numpy.save");
        }
    }

    /// <summary>Writes float32 numbers of shape <paramref name="shape"/>, replacing the file.</summary>
    /// <exception cref="ArgumentException">The shape has not one or two lengths or does not fit the number of values.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<float> values, params ReadOnlySpan<int> shape) =>
        WriteFile(path, "<f4", values, shape);

    /// <summary>Writes float64 numbers of shape <paramref name="shape"/>, replacing the file.</summary>
    /// <exception cref="ArgumentException">The shape has not one or two lengths or does not fit the number of values.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<double> values, params ReadOnlySpan<int> shape) =>
        WriteFile(path, "<f8", values, shape);

    /// <summary>Writes int64 numbers of shape <paramref name="shape"/>, replacing the file.</summary>
    /// <exception cref="ArgumentException">The shape has not one or two lengths or does not fit the number of values.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<long> values, params ReadOnlySpan<int> shape) =>
        WriteFile(path, "<i8", values, shape);

    /// <summary>Writes float64 numbers of shape <paramref name="shape"/> to a stream.</summary>
    /// <exception cref="ArgumentException">The shape has not one or two lengths or does not fit the number of values.</exception>
    public static void Write(Stream stream, ReadOnlySpan<double> values, params ReadOnlySpan<int> shape)
    {
        CheckShape(values.Length, shape);
        WriteTo(stream, "<f8", values, shape);
    }

    /// <summary>Writes float64 numbers of shape [rows, columns] to a stream, in parts, so that they need not be in memory at once.</summary>
    /// <exception cref="ArgumentException">The parts are not so many numbers.</exception>
    public static void WriteParts(Stream stream, IEnumerable<double[]> parts, int rows, int columns)
    {
        stream.Write(NpyHeader.Format("<f8", [rows, columns]));
        long left = (long)rows * columns;
        foreach (double[] part in parts)
        {
            left -= part.Length;
            WriteNumbers<double>(stream, part);
        }

        if (left != 0)
        {
            throw new ArgumentException($"WriteParts: {Math.Abs(left)} values too {(left > 0 ? "few" : "many")} for shape [{rows}, {columns}].", nameof(parts));
        }
    }

    private static NpyHeader ReadHeader(Stream stream, string path)
    {
        Span<byte> start = stackalloc byte[8];
        int found = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (start[..found].StartsWith("PK"u8))
        {
            throw new DataFormatException(path, "is a zip archive (.npz?); save each array by itself with numpy.save");
        }

        if (found < start.Length || !start.StartsWith(NpyHeader.Magic))
        {
            throw new DataFormatException(path, "is not a .npy file; save it with numpy.save");
        }

        (byte major, byte minor) = (start[6], start[7]);
        if (major is not (1 or 2) || minor != 0)
        {
            throw new DataFormatException(path, $"has .npy version {major}.{minor}, known are 1.0 and 2.0; save a plain array of numbers");
        }

        Span<byte> lengthBytes = stackalloc byte[major == 1 ? 2 : 4];
        stream.ReadExactly(lengthBytes);
        long length = major == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(lengthBytes)
            : BinaryPrimitives.ReadUInt32LittleEndian(lengthBytes);
        if (length > LongestHeader || length > stream.Length - stream.Position)
        {
            throw new DataFormatException(path, $"is damaged: its header claims {length} bytes; save it again with numpy.save");
        }

        byte[] text = new byte[length];
        stream.ReadExactly(text);
        return NpyHeader.Parse(Encoding.Latin1.GetString(text))
            ?? throw new DataFormatException(path, "has a header that cannot be read; save a plain array of numbers with numpy.save");
    }

    private static (int[] Shape, int Count) CheckShape(IReadOnlyList<long> lengths, string path)
    {
        if (lengths.Count is not (1 or 2))
        {
            throw new DataFormatException(
                path, $"has {lengths.Count} dimensions, expected 1 or 2; save it with numpy.save(path, a.reshape(rows, columns))");
        }

        long first = lengths[0];
        long second = lengths.Count == 2 ? lengths[1] : 1;
        if (Math.Max(first, second) > int.MaxValue || first * second > Array.MaxLength)
        {
            throw new DataFormatException(path, $"claims {first} x {second} numbers, more than one array can hold; split it");
        }

        return ([.. lengths.Select(length => (int)length)], (int)(first * second));
    }

    private static T[] ReadValues<T>(Stream stream, int count)
        where T : unmanaged
    {
        var values = new T[count];
        const int chunk = 1 << 20; // elements, so that the byte count fits an int
        for (int start = 0; start < count; start += chunk)
        {
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan(start, Math.Min(chunk, count - start))));
        }

        return values;
    }

    private static void WriteFile<T>(string path, string descr, ReadOnlySpan<T> values, ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        CheckShape(values.Length, shape);
        using FileStream stream = File.Create(path);
        WriteTo(stream, descr, values, shape);
    }

    private static void CheckShape(int count, ReadOnlySpan<int> shape)
    {
        bool valid = shape.Length is 1 or 2 && shape[0] >= 0 && shape[^1] >= 0;
        if (!valid || count != (shape.Length == 1 ? shape[0] : (long)shape[0] * shape[1]))
        {
            string lengths = string.Join(", ", shape.ToArray());
            throw new ArgumentException($"Write: {count} values do not have shape [{lengths}].", nameof(shape));
        }
    }

    private static void WriteTo<T>(Stream stream, string descr, ReadOnlySpan<T> values, ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        stream.Write(NpyHeader.Format(descr, shape));
        WriteNumbers(stream, values);
    }

    private static void WriteNumbers<T>(Stream stream, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        const int chunk = 1 << 20;
        for (int start = 0; start < values.Length; start += chunk)
        {
            stream.Write(MemoryMarshal.AsBytes(values.Slice(start, Math.Min(chunk, values.Length - start))));
        }
    }
}
