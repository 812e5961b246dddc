using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Lipschitz.Checkpoints;

/// <summary>The JSON header of a safetensors file: read with suspicion, written the same way every time.</summary>
internal sealed class SafeTensorHeader
{
    /// <summary>The longest header that the format allows, in bytes.</summary>
    public const int MaxLength = 100_000_000;

    private const string MetadataName = "__metadata__";
    private const string DataDigestName = "sha256.data";
    private const string HeaderDigestName = "sha256.header";
    private const int DigestLength = 64;
    private const int MaxRank = 64;
    private const int Alignment = 8;

    private readonly string _path;
    private readonly List<Entry> _entries = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private bool _hasMetadata;

    private SafeTensorHeader(string path, byte[] bytes)
    {
        _path = path;
        BytesWithoutDigest = bytes;
    }

    /// <summary>One line of the table: an array whose bytes are Begin, …, End - 1 of the data.</summary>
    public sealed record Entry(string Name, SafeTensorType Type, long[] Shape, long Begin, long End);

    /// <summary>The table, in the order of the file.</summary>
    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary>The texts, without the checksums.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>The indices of the entries in the order of their bytes.</summary>
    public int[] DataOrder { get; private set; } = [];

    /// <summary>The recorded checksum of the data, or null.</summary>
    public string? DataDigest { get; private set; }

    /// <summary>The recorded checksum of the header, or null where there is no <see cref="DataDigest"/>, either.</summary>
    public string? HeaderDigest { get; private set; }

    /// <summary>The header with the digits of <see cref="HeaderDigest"/> replaced by 0: what that is the checksum of.</summary>
    public byte[] BytesWithoutDigest { get; }

    /// <summary>Reads and checks a header; <paramref name="bytes"/> may be changed.</summary>
    /// <exception cref="CheckpointFormatException">It is not valid, or the entries do not cover the data exactly.</exception>
    public static SafeTensorHeader Parse(byte[] bytes, long dataLength, string path)
    {
        var header = new SafeTensorHeader(path, bytes);
        if (bytes is not [(byte)'{', ..] || !Utf8.IsValid(bytes))
        {
            throw header.Error("is damaged or no safetensors file: its header is not JSON text");
        }

        try
        {
            header.ReadObject(new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 4 }));
        }
        catch (JsonException exception)
        {
            throw header.Error($"has a damaged header: invalid JSON at byte {exception.BytePositionInLine}");
        }
        catch (InvalidOperationException)
        {
            throw header.Error("has a damaged header: a text in it is not valid Unicode");
        }

        header.CheckDigests();
        header.CheckLayout(dataLength);
        return header;
    }

    /// <summary>The bytes of a header.</summary>
    /// <param name="tensors">The arrays in the order of the table.</param>
    /// <param name="dataOrder">The same arrays in the order of the data.</param>
    /// <param name="metadata">The texts, or null.</param>
    /// <param name="dataDigest">The checksum of the data.</param>
    /// <param name="digest">Makes the checksum of the header.</param>
    /// <exception cref="ArgumentException">
    /// A name is double or reserved, a text is not valid UTF-16, or the header gets too long.
    /// </exception>
    public static byte[] Format(
        IReadOnlyList<SafeTensor> tensors,
        IReadOnlyList<SafeTensor> dataOrder,
        IReadOnlyDictionary<string, string>? metadata,
        string dataDigest,
        Func<byte[], string> digest)
    {
        var begins = new Dictionary<string, long>(StringComparer.Ordinal);
        long end = 0;
        foreach (SafeTensor tensor in dataOrder)
        {
            if (tensor.Name == MetadataName || !begins.TryAdd(tensor.Name, end))
            {
                throw new ArgumentException($"The array name '{tensor.Name}' is reserved or occurs twice.");
            }

            end += tensor.Data.Length;
        }

        var buffer = new ArrayBufferWriter<byte>();
        int digestStart;
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject(MetadataName);

            // First, so that the place of its digits is known without reading the header again.
            json.WriteString(HeaderDigestName, new string('0', DigestLength));
            json.Flush();
            digestStart = buffer.WrittenCount - DigestLength - 1;
            json.WriteString(DataDigestName, dataDigest);
            IEnumerable<KeyValuePair<string, string>> texts = metadata ?? new Dictionary<string, string>();
            foreach ((string key, string text) in texts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                if (key is DataDigestName or HeaderDigestName)
                {
                    throw new ArgumentException($"The metadata name '{key}' is reserved.", nameof(metadata));
                }

                json.WriteString(Unicode(key), Unicode(text));
            }

            json.WriteEndObject();
            foreach (SafeTensor tensor in tensors)
            {
                WriteEntry(json, tensor, begins[tensor.Name]);
            }

            json.WriteEndObject();
        }

        byte[] bytes = new byte[checked(buffer.WrittenCount + Alignment - 1) / Alignment * Alignment];
        bytes.AsSpan().Fill((byte)' ');
        buffer.WrittenSpan.CopyTo(bytes);
        if (bytes.Length > MaxLength)
        {
            throw new ArgumentException($"The header has {bytes.Length} bytes, at most {MaxLength} are allowed.");
        }

        Encoding.ASCII.GetBytes(digest(bytes), bytes.AsSpan(digestStart));
        return bytes;
    }

    private static void WriteEntry(Utf8JsonWriter json, SafeTensor tensor, long begin)
    {
        json.WriteStartObject(Unicode(tensor.Name));
        json.WriteString("dtype", tensor.Type.ToString());
        json.WriteStartArray("shape");
        foreach (long length in tensor.Shape)
        {
            json.WriteNumberValue(length);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(begin);
        json.WriteNumberValue(begin + tensor.Data.Length);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // The JSON writer would replace half a surrogate pair by another character without a word.
    private static string Unicode(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                throw new ArgumentException($"A name or text is not valid UTF-16: it has half a surrogate pair at {i}.");
            }
        }

        return text;
    }

    private CheckpointFormatException Error(string reason) => new(_path, reason);

    private void ReadObject(Utf8JsonReader json)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            if (name == MetadataName)
            {
                ReadMetadata(ref json);
            }
            else if (_names.Add(name))
            {
                _entries.Add(ReadEntry(ref json, name));
            }
            else
            {
                throw Error($"has a damaged header: the array '{name}' occurs twice");
            }
        }

        json.Read(); // throws where anything but white space follows
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        if (_hasMetadata || !json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            throw Error($"has a damaged header: {MetadataName} occurs twice or is no map of texts");
        }

        _hasMetadata = true;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            if (!json.Read() || json.TokenType != JsonTokenType.String || !_metadata.TryAdd(key, json.GetString()!))
            {
                throw Error($"has a damaged header: the metadata '{key}' occurs twice or is no text");
            }

            // A digest written with JSON escapes is left as it is; then the checksum does not match.
            if (key == HeaderDigestName && json.ValueSpan.Length == DigestLength)
            {
                BytesWithoutDigest.AsSpan((int)json.TokenStartIndex + 1, DigestLength).Fill((byte)'0');
            }
        }
    }

    private Entry ReadEntry(ref Utf8JsonReader json, string name)
    {
        SafeTensorType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            throw Error($"has a damaged header: '{name}' is no array");
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool read = json.GetString() switch
            {
                "dtype" => type is null && (type = ReadType(ref json, name)) is not null,
                "shape" => shape is null && (shape = ReadNumbers(ref json, name)) is not null,
                "data_offsets" => offsets is null && (offsets = ReadNumbers(ref json, name)) is not null,
                _ => false,
            };
            if (!read)
            {
                throw Error($"has a damaged header: '{name}' has an unknown or repeated property");
            }
        }

        if (type is not { } known || shape is null || offsets is not [long begin, long end])
        {
            throw Error($"has a damaged header: '{name}' lacks its dtype, shape or data_offsets");
        }

        if (end < begin || SafeTensor.ByteCount(known, shape) != end - begin)
        {
            throw Error($"has a damaged header: '{name}' does not have the number of bytes that its dtype and shape need");
        }

        if (end - begin > Array.MaxLength)
        {
            throw Error($"cannot be read: '{name}' is larger than {Array.MaxLength} bytes");
        }

        return new Entry(name, known, shape, begin, end);
    }

    private SafeTensorType ReadType(ref Utf8JsonReader json, string name)
    {
        json.Read();
        string? text = json.TokenType == JsonTokenType.String ? json.GetString() : null;
        int index = text is null ? -1 : Array.IndexOf(Enum.GetNames<SafeTensorType>(), text);
        return index >= 0 ? (SafeTensorType)index : throw Error($"has a damaged header: '{name}' has the unknown dtype '{text}'");
    }

    private long[] ReadNumbers(ref Utf8JsonReader json, string name)
    {
        List<long> numbers = [];
        json.Read();
        if (json.TokenType == JsonTokenType.StartArray)
        {
            while (json.Read() && json.TokenType == JsonTokenType.Number
                && numbers.Count < MaxRank && json.TryGetInt64(out long number) && number >= 0)
            {
                numbers.Add(number);
            }
        }

        return json.TokenType == JsonTokenType.EndArray
            ? [.. numbers]
            : throw Error($"has a damaged header: a shape or offset of '{name}' is no list of at most {MaxRank} sizes");
    }

    private void CheckDigests()
    {
        bool hasData = _metadata.Remove(DataDigestName, out string? dataDigest);
        bool hasHeader = _metadata.Remove(HeaderDigestName, out string? headerDigest);
        if (hasData != hasHeader)
        {
            throw Error($"has a damaged header: it has only one of {DataDigestName} and {HeaderDigestName}");
        }

        (DataDigest, HeaderDigest) = (dataDigest, headerDigest);
    }

    private void CheckLayout(long dataLength)
    {
        DataOrder = [.. Enumerable.Range(0, _entries.Count).OrderBy(i => _entries[i].Begin).ThenBy(i => _entries[i].End)];
        long covered = 0;
        foreach (Entry entry in DataOrder.Select(i => _entries[i]))
        {
            if (entry.Begin != covered)
            {
                throw Error($"has a damaged header: '{entry.Name}' begins at byte {entry.Begin} of the data, expected {covered}");
            }

            covered = entry.End;
        }

        if (covered != dataLength)
        {
            throw Error($"is truncated or damaged: its arrays need {covered} bytes of data, found {dataLength}");
        }
    }
}
