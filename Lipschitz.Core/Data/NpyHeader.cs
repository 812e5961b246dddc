using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Lipschitz.Data;

/// <summary>The Python dictionary at the start of a .npy file.</summary>
/// <param name="Descr">The type of a number, such as &lt;f4; empty for a structured type.</param>
/// <param name="FortranOrder">Whether the first index varies fastest.</param>
/// <param name="Shape">The lengths along each axis.</param>
internal sealed record NpyHeader(string Descr, bool FortranOrder, IReadOnlyList<long> Shape)
{
    private const int Alignment = 64; // of the first number, in bytes, as NumPy does it
    private const int MostDimensions = 64; // NumPy's own limit

    /// <summary>The first six bytes of a .npy file.</summary>
    public static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>The dictionary in <paramref name="text"/>, or null where it is none with the three known entries, each once.</summary>
    public static NpyHeader? Parse(string text)
    {
        var reader = new Reader(text);
        string? descr = null;
        bool? fortranOrder = null;
        List<long>? shape = null;
        if (!reader.Take('{'))
        {
            return null;
        }

        while (!reader.Take('}'))
        {
            string? key = reader.String();
            if (key is null || !reader.Take(':'))
            {
                return null;
            }

            bool read = key switch
            {
                "descr" => descr is null && (descr = reader.String()) is not null,
                "fortran_order" => fortranOrder is null && (fortranOrder = reader.Boolean()) is not null,
                "shape" => shape is null && (shape = reader.Tuple()) is not null,
                _ => false,
            };
            if (!read || (!reader.Take(',') && !reader.Sees('}')))
            {
                return null;
            }
        }

        return reader.AtEnd && descr is not null && fortranOrder is { } order && shape is not null
            ? new NpyHeader(descr, order, shape)
            : null;
    }

    /// <summary>The first bytes of a version 1 file, up to the first number.</summary>
    public static byte[] Format(string descr, ReadOnlySpan<int> shape)
    {
        string lengths = shape.Length == 1 ? $"{shape[0]}," : $"{shape[0]}, {shape[1]}";
        string text = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({lengths}), }}";
        int start = Magic.Length + 4;
        int total = (start + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        byte[] bytes = new byte[total];
        Magic.CopyTo(bytes);
        bytes[6] = 1; // version 1.0
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)(total - start));
        Encoding.ASCII.GetBytes(text.PadRight(total - start - 1) + '\n', bytes.AsSpan(start));
        return bytes;
    }

    /// <summary>Reads the few Python literals that occur; each method gives null, or false, for anything else.</summary>
    private ref struct Reader(string text)
    {
        private ReadOnlySpan<char> _rest = text;

        public bool AtEnd => _rest.Trim(" \t\r\n").IsEmpty;

        public bool Sees(char expected)
        {
            _rest = _rest.TrimStart(" \t\r\n");
            return _rest.StartsWith([expected]);
        }

        public bool Take(char expected)
        {
            bool seen = Sees(expected);
            _rest = seen ? _rest[1..] : _rest;
            return seen;
        }

        public string? String()
        {
            char quote = Sees('"') ? '"' : '\'';
            if (!Take(quote))
            {
                return null;
            }

            int end = _rest.IndexOf(quote);
            if (end < 0 || _rest[..end].Contains('\\'))
            {
                return null;
            }

            string value = _rest[..end].ToString();
            _rest = _rest[(end + 1)..];
            return value;
        }

        public bool? Boolean()
        {
            bool value = Sees('T') && _rest.StartsWith("True");
            if (!value && !_rest.StartsWith("False"))
            {
                return null;
            }

            _rest = _rest[(value ? 4 : 5)..];
            return value;
        }

        public List<long>? Tuple()
        {
            if (!Take('('))
            {
                return null;
            }

            List<long> lengths = [];
            while (!Take(')'))
            {
                int digits = 0;
                while (digits < _rest.Length && char.IsAsciiDigit(_rest[digits]))
                {
                    digits++;
                }

                if (lengths.Count == MostDimensions
                    || !long.TryParse(_rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out long length))
                {
                    return null;
                }

                lengths.Add(length);
                _rest = _rest[digits..];
                bool comma = Take(',');
                if (!Sees(')') && !comma)
                {
                    return null;
                }
            }

            return lengths;
        }
    }
}
