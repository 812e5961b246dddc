using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lipschitz.Checkpoints;

/// <summary>Reads and writes safetensors files, with checksums over every byte.</summary>
/// <remarks>
/// The format is the length n of the header (8 bytes, little-endian), the header (n bytes of JSON that give each array's type,
/// shape and place), and the data. Files written here carry two texts of 64 hexadecimal digits in the header's __metadata__:
/// "sha256.data", the SHA-256 of the data, and "sha256.header", that of the n header bytes with its own digits replaced by 0. Each is
/// refused without the other, so that damage to the name of one does not switch the check off. Other programs ignore both; one that
/// rewrites a file must drop them. Little-endian machines only.
/// </remarks>
public static class SafeTensors
{
    private const int LengthSize = sizeof(ulong);
    private const string Changed = "was damaged or changed after it was written";

    /// <summary>The contents of the file at <paramref name="path"/>, checked.</summary>
    /// <remarks>Takes memory in proportion to the file's length at most, whatever the file claims.</remarks>
    /// <exception cref="CheckpointFormatException">The file is damaged or no safetensors file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafeTensorFile Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Read(stream, path);
    }

    /// <summary>The contents of the rest of a seekable stream, checked; <paramref name="path"/> names it in messages.</summary>
    /// <exception cref="CheckpointFormatException">The contents are damaged or not in the safetensors format.</exception>
    public static SafeTensorFile Read(Stream stream, string path)
    {
        try
        {
            return ReadChecked(stream, path);
        }
        catch (EndOfStreamException)
        {
            throw new CheckpointFormatException(path, "became shorter while it was read");
        }
    }

    /// <summary>
    /// Replaces the file at <paramref name="path"/> as a whole (see <see cref="AtomicFile"/>); the same contents give the same bytes.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The arrays, listed in this order.</param>
    /// <param name="metadata">Texts to store with them; written in the order of their names.</param>
    /// <exception cref="ArgumentException">
    /// A name occurs twice or is reserved, a text is not valid UTF-16, or the header would be longer than 100 MB.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<SafeTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    /// <summary>
    /// Writes to a stream what <see cref="Write(string, IReadOnlyList{SafeTensor}, IReadOnlyDictionary{string, string})"/> writes.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// A name occurs twice or is reserved, a text is not valid UTF-16, or the header would be longer than 100 MB.
    /// </exception>
    public static void Write(Stream stream, IReadOnlyList<SafeTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // Larger elements first, as other writers do, so that every array is aligned to its element size without gaps.
        SafeTensor[] dataOrder = [.. tensors.OrderByDescending(tensor => tensor.Type.ElementSize())];
        using var dataHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (SafeTensor tensor in dataOrder)
        {
            dataHash.AppendData(tensor.Data);
        }

        byte[] header = SafeTensorHeader.Format(tensors, dataOrder, metadata, Hex(dataHash.GetHashAndReset()), Sha256);
        Span<byte> length = stackalloc byte[LengthSize];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (SafeTensor tensor in dataOrder)
        {
            stream.Write(tensor.Data);
        }
    }

    /// <summary>The texts stored with the arrays, without reading these.</summary>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    internal static IReadOnlyDictionary<string, string> ReadMetadata(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return ReadHeader(stream, path).Metadata;
    }

    private static SafeTensorHeader ReadHeader(Stream stream, string path)
    {
        long fileLength = stream.Length - stream.Position;
        if (fileLength < LengthSize)
        {
            throw new CheckpointFormatException(path, $"is no safetensors file: it has {fileLength} bytes");
        }

        Span<byte> lengthBytes = stackalloc byte[LengthSize];
        stream.ReadExactly(lengthBytes);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (headerLength > SafeTensorHeader.MaxLength || headerLength > (ulong)(fileLength - LengthSize))
        {
            throw new CheckpointFormatException(
                path, $"is damaged or no safetensors file: it claims a header of {headerLength} bytes in a file of {fileLength}");
        }

        byte[] headerBytes = new byte[headerLength];
        stream.ReadExactly(headerBytes);
        long dataLength = fileLength - LengthSize - (long)headerLength;
        SafeTensorHeader header = SafeTensorHeader.Parse(headerBytes, dataLength, path);
        if (header.HeaderDigest is { } headerDigest && headerDigest != Sha256(header.BytesWithoutDigest))
        {
            throw new CheckpointFormatException(path, $"{Changed}: sha256.header does not match the header");
        }

        return header;
    }

    private static SafeTensorFile ReadChecked(Stream stream, string path)
    {
        SafeTensorHeader header = ReadHeader(stream, path);
        using var dataHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var tensors = new SafeTensor[header.Entries.Count];
        foreach (int index in header.DataOrder)
        {
            SafeTensorHeader.Entry entry = header.Entries[index];
            byte[] data = GC.AllocateUninitializedArray<byte>((int)(entry.End - entry.Begin));
            stream.ReadExactly(data);
            if (header.DataDigest is not null)
            {
                dataHash.AppendData(data);
            }

            tensors[index] = new SafeTensor(entry.Name, entry.Type, entry.Shape, data);
        }

        if (header.DataDigest is { } dataDigest && dataDigest != Hex(dataHash.GetHashAndReset()))
        {
            throw new CheckpointFormatException(path, $"{Changed}: sha256.data does not match the data");
        }

        return new SafeTensorFile(tensors, header.Metadata, header.DataDigest is not null);
    }

    private static string Sha256(byte[] bytes) => Hex(SHA256.HashData(bytes));

    private static string Hex(byte[] hash) => Convert.ToHexStringLower(hash);
}
