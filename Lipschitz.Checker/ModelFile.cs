using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>A model.safetensors file: its digest, and float32 matrices by name, from one reading of its bytes.</summary>
internal sealed class ModelFile
{
    private const int LengthSize = sizeof(ulong);
    private const string File = "model.safetensors";
    private readonly byte[] _bytes;
    private readonly Dictionary<string, (int Rows, int Columns, int Begin, int Length)> _matrices = new(StringComparer.Ordinal);

    /// <summary>Reads the bytes of a file.</summary>
    public ModelFile(byte[] bytes)
    {
        _bytes = bytes;
        Sha256 = Digest(bytes);
        ulong headerLength = bytes.Length < LengthSize ? ulong.MaxValue : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Refusal.Unless(headerLength <= (ulong)(bytes.Length - LengthSize), File, "no safetensors file: its header is longer than the file");
        int dataStart = LengthSize + (int)headerLength;
        JsonElement header = Fields.Parse(bytes[LengthSize..dataStart], File);
        Refusal.Unless(header.ValueKind == JsonValueKind.Object, File, "no safetensors file: its header is no object");
        foreach (JsonProperty entry in header.EnumerateObject())
        {
            if (entry.Name == "__metadata__")
            {
                Fields texts = Fields.AtLeast(entry.Value, $"{File}: metadata");
                texts.MustBe("format", "lipschitz-flow-1");
                Refusal.Unless(
                    int.TryParse(texts.Text("width"), System.Globalization.NumberStyles.None, null, out int width) && width > 0,
                    texts.PathOf("width"), "a count is due");
                Width = width;
            }
            else
            {
                Add(entry, dataStart);
            }
        }

        Refusal.Unless(Width > 0, File, "no metadata");
        int covered = dataStart;
        foreach ((string name, var (_, _, begin, length)) in _matrices.OrderBy(m => m.Value.Begin).ThenBy(m => m.Value.Length))
        {
            Refusal.Unless(begin == covered, $"{File}: {name}", "begins where another tensor, or none, lies");
            covered = begin + length;
        }

        Refusal.Unless(covered == bytes.Length, File, "has bytes that belong to no tensor");
    }

    /// <summary>The SHA-256 of the whole file.</summary>
    public string Sha256 { get; }

    /// <summary>Columns of a point.</summary>
    public int Width { get; }

    /// <summary>The names of all tensors.</summary>
    public IEnumerable<string> Names => _matrices.Keys;

    /// <summary>SHA-256 in lower-case hexadecimal digits.</summary>
    public static string Digest(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The digest of the bytes of one tensor.</summary>
    public string DigestOf(string name) => Digest(BytesOf(name));

    /// <summary>A matrix [rows, columns] whose numbers must be finite, row by row.</summary>
    public double[] Matrix(string name, int rows, int columns)
    {
        string field = $"{File}: {name}";
        ReadOnlySpan<byte> bytes = BytesOf(name);
        var (r, c, _, _) = _matrices[name];
        Refusal.Unless(r == rows && c == columns, field, $"is [{r}, {c}]; config.json needs [{rows}, {columns}]");
        ReadOnlySpan<float> floats = MemoryMarshal.Cast<byte, float>(bytes);
        var values = new double[floats.Length];
        for (int i = 0; i < values.Length; i++)
        {
            Refusal.Unless(float.IsFinite(floats[i]), field, $"number {i} is not finite");
            values[i] = floats[i];
        }

        return values;
    }

    private ReadOnlySpan<byte> BytesOf(string name)
    {
        Refusal.Unless(_matrices.TryGetValue(name, out var place), $"{File}: {name}", "missing");
        return _bytes.AsSpan(place.Begin, place.Length);
    }

    private void Add(JsonProperty entry, int dataStart)
    {
        Fields fields = Fields.Exactly(entry.Value, $"{File}: {entry.Name}", "dtype", "shape", "data_offsets");
        fields.MustBe("dtype", "F32");
        int[] shape = fields.Wholes("shape"), offsets = fields.Wholes("data_offsets");
        Refusal.Unless(
            shape.Length == 2 && offsets.Length == 2 && offsets[1] - offsets[0] == (long)shape[0] * shape[1] * sizeof(float),
            fields.Path, "is no matrix with the bytes that its shape needs");
        Refusal.Unless((long)dataStart + offsets[1] <= _bytes.Length, fields.Path, "ends after the end of the file");
        _matrices.Add(entry.Name, (shape[0], shape[1], dataStart + offsets[0], offsets[1] - offsets[0]));
    }
}
