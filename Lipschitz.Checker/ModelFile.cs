using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>A model.safetensors file: its digest, and float32 matrices by name, from one reading of its bytes.</summary>
internal sealed class ModelFile
{
    private const string File = "model.safetensors";
    private const int LargestWidth = 1 << 20; // that of models that can be read at all
    private readonly byte[] _bytes;
    private readonly Dictionary<string, (int Rows, int Columns, int Begin, int Length)> _matrices = new(StringComparer.Ordinal);

    /// <summary>Reads the bytes of a file.</summary>
    public ModelFile(byte[] bytes)
    {
        (_bytes, Sha256) = (bytes, Digest(bytes));
        const int start = sizeof(ulong);
        ulong headerLength = bytes.Length < start ? ulong.MaxValue : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Refusal.Unless(headerLength <= (ulong)(bytes.Length - start), File, "no safetensors file: its header is longer than the file");
        int dataStart = start + (int)headerLength;
        JsonElement header = Fields.Parse(bytes[start..dataStart], File);
        Refusal.Unless(header.ValueKind == JsonValueKind.Object, File, "no safetensors file: its header is no object");
        foreach (JsonProperty entry in header.EnumerateObject())
        {
            if (entry.Name == "__metadata__")
            {
                Fields texts = Fields.AtLeast(entry.Value, $"{File}: metadata");
                texts.MustBe("format", "lipschitz-flow-1");
                Refusal.Unless(
                    int.TryParse(texts.Text("width"), System.Globalization.NumberStyles.None, null, out int width) && width is > 0 and <= LargestWidth,
                    texts.PathOf("width"), $"a count of at most {LargestWidth} is due");
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

    public string Sha256 { get; }
    public int Width { get; }
    public IEnumerable<string> Names => _matrices.Keys;

    /// <summary>SHA-256 in lower-case hexadecimal digits.</summary>
    public static string Digest(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public string DigestOf(string name) => Digest(BytesOf(name));

    /// <summary>A matrix [rows, columns] whose numbers must be finite, row by row.</summary>
    public double[] Matrix(string name, int rows, int columns)
    {
        float[] floats = [.. MemoryMarshal.Cast<byte, float>(BytesOf(name))];
        var (r, c, _, _) = _matrices[name];
        Refusal.Unless(r == rows && c == columns, $"{File}: {name}", $"is [{r}, {c}]; config.json needs [{rows}, {columns}]");
        int bad = Array.FindIndex(floats, value => !float.IsFinite(value));
        Refusal.Unless(bad < 0, $"{File}: {name}", $"number {bad} is not finite");
        return Array.ConvertAll(floats, value => (double)value);
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
