using System.Text;

namespace Lipschitz.Data;

/// <summary>Reads the files of a tar archive one after the other, and refuses whatever a set of data has no use for.</summary>
/// <remarks>
/// POSIX.1-1988 ("ustar") and what came before it; extended attributes are skipped. System.Formats.Tar takes as much memory as the header
/// of an extended attribute claims, two gigabytes for an archive of two kilobytes, which is why it is not used here. Nothing is ever
/// written to disk, but a name that leads out of the archive is refused all the same: such an archive is no copy of the original.
/// </remarks>
/// <param name="stream">The archive, unpacked.</param>
/// <param name="path">Its name in messages.</param>
internal sealed class TarArchive(Stream stream, string path)
{
    private const int BlockLength = 512;
    private const int NameLength = 100;
    private const int PrefixStart = 345;
    private const int PrefixLength = 155;
    private const int SizeStart = 124;
    private const int ChecksumStart = 148;
    private const int ChecksumLength = 8;
    private const int KindPlace = 156;
    private readonly byte[] _block = new byte[BlockLength];
    private long _offset; // of the next block, for messages
    private long _left; // bytes of the current member, with its padding, not read yet

    /// <summary>The name of the current file.</summary>
    public string Name { get; private set; } = "";

    /// <summary>How many bytes the current file has, if its header is right.</summary>
    public long Length { get; private set; }

    /// <summary>Moves to the next file; false at the end of the archive.</summary>
    /// <exception cref="DataFormatException">The archive is damaged, or has a link, a device or a name that leads out of it.</exception>
    public bool Next()
    {
        while (true)
        {
            Skip();
            long start = _offset;
            ReadBlock();
            if (!_block.AsSpan().ContainsAnyExcept((byte)0))
            {
                Drain();
                return false;
            }

            CheckSum(start);
            Name = ReadName();
            Length = Octal(SizeStart, 12) ?? throw Damaged(start, "its size is no octal number");
            _left = (Length + BlockLength - 1) / BlockLength * BlockLength;
            switch ((char)_block[KindPlace])
            {
                case '0' or '\0' or '7':
                    CheckName();
                    return true;
                case '5':
                    CheckName();
                    break;
                case 'x' or 'g': // attributes such as times
                    break;
                default:
                    throw new DataFormatException(path, $"its member '{Name}' is a link, a device or of an unknown kind; get the original archive");
            }
        }
    }

    /// <summary>The bytes of the current file, once.</summary>
    /// <exception cref="DataFormatException">The archive ends before.</exception>
    public byte[] Read()
    {
        byte[] bytes = BoundedInput.ReadArray(stream, checked((int)Length), $"{path}, {Name}");
        _offset += Length;
        _left -= Length;
        return bytes;
    }

    private void Skip()
    {
        while (_left > 0)
        {
            int read = stream.Read(_block, 0, (int)Math.Min(_left, BlockLength));
            _offset += read;
            _left -= read > 0 ? read : throw new DataFormatException(path, $"is truncated within its member '{Name}'; get it again");
        }
    }

    private void ReadBlock()
    {
        if (stream.ReadAtLeast(_block, BlockLength, throwOnEndOfStream: false) < BlockLength)
        {
            throw new DataFormatException(path, $"is truncated: it ends at byte {_offset} without the mark of its end; get it again");
        }

        _offset += BlockLength;
    }

    // To the end, where gzip has its checksum.
    private void Drain()
    {
        while (stream.Read(_block, 0, BlockLength) > 0)
        {
        }
    }

    private void CheckSum(long start)
    {
        int sum = ChecksumLength * ' '; // the field itself counts as blanks
        for (int i = 0; i < BlockLength; i++)
        {
            sum += i is < ChecksumStart or >= ChecksumStart + ChecksumLength ? _block[i] : 0;
        }

        if (Octal(ChecksumStart, ChecksumLength) != sum)
        {
            throw start == 0
                ? new DataFormatException(path, "is no tar archive; get the original")
                : Damaged(start, "the checksum differs");
        }
    }

    private void CheckName()
    {
        string[] parts = Name.Split('/', '\\');
        if (Name.Length == 0 || Name[0] is '/' or '\\' || Name.Contains(':') || parts.Contains(".."))
        {
            throw new DataFormatException(path, $"its member '{Name}' leads out of the archive; get the original");
        }
    }

    private string ReadName()
    {
        string name = Text(0, NameLength);
        bool isPosix = _block.AsSpan(257, 6).SequenceEqual("ustar\0"u8);
        string prefix = isPosix ? Text(PrefixStart, PrefixLength) : "";
        return prefix.Length > 0 ? $"{prefix}/{name}" : name;
    }

    private string Text(int start, int length)
    {
        ReadOnlySpan<byte> field = _block.AsSpan(start, length);
        int end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    private long? Octal(int start, int length)
    {
        string text = Encoding.Latin1.GetString(_block, start, length).Trim(' ', '\0');
        return text.Length > 0 && text.All(digit => digit is >= '0' and <= '7') ? Convert.ToInt64(text, 8) : null;
    }

    private DataFormatException Damaged(long start, string what) => new(path, $"is damaged: {what} in the header at byte {start}; get it again");
}
