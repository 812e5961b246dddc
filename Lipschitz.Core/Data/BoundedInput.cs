using System.Buffers.Binary;
using System.IO.Compression;

namespace Lipschitz.Data;

/// <summary>
/// The bytes of a data file, unpacked where it is compressed with gzip. Damage is a <see cref="DataFormatException"/>, and a small file
/// that unpacks to far more than pictures do is refused on the way.
/// </summary>
internal sealed class BoundedInput : Stream
{
    private const int ChunkLength = 1 << 20;
    private const long AlwaysAllowed = 16L << 20; // bytes, whatever the ratio
    private const int LargestRatio = 200; // MNIST's is 5, a bomb's 1000
    private readonly Stream _bytes;
    private readonly string _path;
    private readonly long _most;
    private readonly bool _isPacked;
    private readonly uint _packedLength; // what gzip's last four bytes say
    private long _read;

    /// <summary>Begins to read.</summary>
    /// <param name="file">A seekable stream, closed together with this one.</param>
    /// <param name="path">Its name in messages.</param>
    /// <exception cref="DataFormatException">It is empty.</exception>
    public BoundedInput(Stream file, string path)
    {
        _path = path;
        if (file.Length == 0)
        {
            file.Dispose();
            throw new DataFormatException(path, "is empty; get it again");
        }

        Span<byte> start = stackalloc byte[2];
        _isPacked = file.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start is [0x1F, 0x8B];
        if (_isPacked)
        {
            Span<byte> end = stackalloc byte[4];
            file.Position = Math.Max(0, file.Length - end.Length);
            file.ReadAtLeast(end, end.Length, throwOnEndOfStream: false);
            _packedLength = BinaryPrimitives.ReadUInt32LittleEndian(end);
        }

        file.Position = 0;
        _bytes = _isPacked ? new GZipStream(file, CompressionMode.Decompress) : file;
        _most = _isPacked ? Math.Max(AlwaysAllowed, file.Length * LargestRatio) : long.MaxValue;
    }

    /// <summary>Bytes still to come, where that can be known without reading them.</summary>
    public long? Left => _isPacked ? null : _bytes.Length - _bytes.Position;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens a file.</summary>
    /// <exception cref="DataFormatException">It is empty.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static BoundedInput Open(string path) => new(File.OpenRead(path), path);

    /// <summary>The next <paramref name="count"/> bytes; memory grows with what has arrived, not with what is claimed.</summary>
    /// <exception cref="DataFormatException">The file ends before.</exception>
    public static byte[] ReadArray(Stream stream, int count, string path)
    {
        var chunks = new List<byte[]>();
        for (int left = count; left > 0; left -= chunks[^1].Length)
        {
            byte[] chunk = new byte[Math.Min(left, ChunkLength)];
            int read = stream.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);
            if (read < chunk.Length)
            {
                throw new DataFormatException(
                    path, $"is truncated: {count} bytes should follow its header, only {count - left + read} are there; get it again");
            }

            chunks.Add(chunk);
        }

        byte[] bytes = new byte[count];
        for (int i = 0; i < chunks.Count; i++)
        {
            chunks[i].CopyTo(bytes, (long)i * ChunkLength);
        }

        return bytes;
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        try
        {
            int count = _bytes.Read(buffer);
            _read += count;
            if (_read > _most)
            {
                throw new DataFormatException(_path, $"unpacks to more than {_most} bytes, which pictures never do; get it again");
            }

            // GZipStream takes the end of a truncated file for the end of the data.
            return count > 0 || buffer.IsEmpty || !_isPacked || (uint)_read == _packedLength
                ? count
                : throw new DataFormatException(_path, "is damaged, truncated or made of several parts (gzip); get it again");
        }
        catch (Exception damage) when (damage is InvalidDataException or EndOfStreamException)
        {
            throw new DataFormatException(_path, "is damaged or truncated (gzip); get it again");
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 0 ? -1 : one[0];
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _bytes.Dispose();
        }

        base.Dispose(disposing);
    }
}
