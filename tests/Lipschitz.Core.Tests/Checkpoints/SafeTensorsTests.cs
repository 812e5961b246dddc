using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Lipschitz.Checkpoints;

namespace Lipschitz.Core.Tests.Checkpoints;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("safetensors").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_written_is_read_again()
    {
        SafeTensor[] tensors = Example();
        var metadata = new Dictionary<string, string> { ["config"] = "{\"name\": \"é\\n😀\"}", [""] = "", ["__metadata__"] = "allowed here" };
        string path = Path.Combine(_folder, "a.safetensors");
        SafeTensors.Write(path, tensors, metadata);
        SafeTensorFile file = SafeTensors.Read(path);

        Assert.Equal(tensors, file.Tensors);
        Assert.Equal(metadata.OrderBy(pair => pair.Key), file.Metadata.OrderBy(pair => pair.Key));
        Assert.True(file.IsVerified);
        Assert.Equal(tensors[1], file.Find("block.0/weight \"quoted\" π"));
        Assert.Null(file.Find("none"));
        Assert.Equal([path], Directory.GetFiles(_folder));

        SafeTensors.Write(path, file.Tensors, file.Metadata);
        Assert.Equal(Bytes(tensors, metadata), File.ReadAllBytes(path));
    }

    [Fact]
    public void An_empty_file_is_written_and_read()
    {
        SafeTensorFile file = Read(Bytes([]));
        Assert.Empty(file.Tensors);
        Assert.Empty(file.Metadata);
        Assert.True(file.IsVerified);
    }

    [Fact]
    public void Equal_contents_give_equal_bytes_whatever_the_order_of_the_metadata()
    {
        var forward = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" };
        var backward = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" };
        Assert.Equal(Bytes(Example(), forward), Bytes(Example(), backward));
        Assert.Equal(["second", "first"], Read(Bytes([Byte("second"), Byte("first")])).Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void The_layout_is_what_the_format_asks_for()
    {
        // Read by JsonDocument instead of our own reader: offsets count from the end of the header and leave no hole.
        byte[] bytes = Bytes(Example());
        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.Equal(0, headerLength % 8);
        Assert.Equal((byte)'{', bytes[8]);
        using JsonDocument header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        Assert.Equal(Example().Select(tensor => tensor.Name).Prepend("__metadata__"), header.RootElement.EnumerateObject().Select(p => p.Name));
        int covered = 0;
        foreach (SafeTensor tensor in Example().OrderByDescending(tensor => tensor.Type.ElementSize()))
        {
            JsonElement entry = header.RootElement.GetProperty(tensor.Name);
            int[] offsets = [.. entry.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt32())];
            Assert.Equal([covered, covered + tensor.Data.Length], offsets);
            Assert.Equal(0, covered % tensor.Type.ElementSize());
            Assert.Equal(tensor.Data, bytes[(8 + headerLength + offsets[0])..(8 + headerLength + offsets[1])]);
            Assert.Equal(tensor.Shape, entry.GetProperty("shape").EnumerateArray().Select(length => length.GetInt64()));
            Assert.Equal(tensor.Type.ToString(), entry.GetProperty("dtype").GetString());
            covered = offsets[1];
        }

        Assert.Equal(bytes.Length, 8 + headerLength + covered);
    }

    [Fact]
    public void Files_of_the_Python_library_are_read()
    {
        // From that library's own tests (bindings/python/tests/test_simple.py): numpy.zeros((2, 2), dtype=numpy.int32).
        SafeTensorFile file = Read(
            [.. "@\0\0\0\0\0\0\0{\"test\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}    "u8, .. new byte[16]]);
        SafeTensor tensor = Assert.Single(file.Tensors);
        Assert.Equal("test: I32 [2, 2]", tensor.ToString());
        Assert.Equal([0, 0, 0, 0], tensor.ToInt64s());
        Assert.False(file.IsVerified);

        // Older versions pad nothing and put the metadata last.
        file = Read(
            [.. "Y\0\0\0\0\0\0\0{\"test\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]},\"__metadata__\":{\"foo\":\"bar\"}}"u8, .. new byte[16]]);
        Assert.Equal("bar", file.Metadata["foo"]);
    }

    [Fact]
    public void Entries_may_come_in_any_order_and_be_empty()
    {
        byte[] bytes = Raw(
            """
            {"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"e":{"data_offsets":[1,1],"shape":[3,0],"dtype":"F64"},
             "a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}
            """,
            7, 8, 9);
        SafeTensorFile file = Read(bytes);
        Assert.Equal(["b", "e", "a"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([8, 9], file.Find("b")!.ToInt64s());
        Assert.Empty(file.Find("e")!.ToDoubles());
        Assert.Equal([7], file.Find("a")!.ToInt64s());
    }

    [Fact]
    public void Every_truncation_and_any_extension_is_found()
    {
        byte[] bytes = Bytes(Example(), new Dictionary<string, string> { ["config"] = "{}" });
        for (int length = 0; length < bytes.Length; length++)
        {
            Refused(bytes[..length]);
        }

        Refused([.. bytes, 0]);
        Refused([.. bytes, .. new byte[8]]);
    }

    [Fact]
    public void Every_flipped_bit_is_found()
    {
        byte[] bytes = Bytes(Example(), new Dictionary<string, string> { ["config"] = "{\"seed\": 1}" });
        for (int i = 0; i < bytes.Length * 8; i++)
        {
            byte[] damaged = [.. bytes];
            damaged[i / 8] ^= (byte)(1 << (i % 8));
            Refused(damaged);
        }
    }

    [Fact]
    public void Every_byte_replaced_by_one_that_JSON_might_take_is_found()
    {
        byte[] bytes = Bytes([SafeTensor.FromFloats("w", [1f, 2f], 2)]);
        for (int i = 0; i < bytes.Length; i++)
        {
            foreach (byte value in "\t\n 019aA\",\\}"u8)
            {
                byte[] damaged = [.. bytes];
                damaged[i] = value;
                if (value != bytes[i])
                {
                    Refused(damaged);
                }
            }
        }
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", "need 2 bytes of data, found 4")]
    [InlineData("""{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}""", "need 5 bytes of data, found 4")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}""", "begins at byte 1")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,3]}}""", "number of bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}""", "number of bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}""", "number of bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}}""", "no list")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,4]}}""", "lacks")]
    [InlineData("""{"a":{"shape":[4],"data_offsets":[0,4]}}""", "lacks")]
    [InlineData("""{"a":{}}""", "lacks")]
    [InlineData("""{"a":[]}""", "no array")]
    [InlineData("""{"a":null}""", "no array")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}""", "begins at")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", "begins at")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "begins at")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}""", "twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}""", "twice")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "repeated")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"extra":1}}""", "unknown")]
    [InlineData("""{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,4]}}""", "unknown dtype 'F4'")]
    [InlineData("""{"a":{"dtype":"u8","shape":[4],"data_offsets":[0,4]}}""", "unknown dtype 'u8'")]
    [InlineData("""{"a":{"dtype":"1","shape":[4],"data_offsets":[0,4]}}""", "unknown dtype '1'")]
    [InlineData("""{"a":{"dtype":1,"shape":[4],"data_offsets":[0,4]}}""", "unknown dtype")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}""", "no list")]
    [InlineData("""{"a":{"dtype":"U8","shape":["4"],"data_offsets":[0,4]}}""", "no list")]
    [InlineData("""{"a":{"dtype":"U8","shape":[[4]],"data_offsets":[0,4]}}""", "no list")]
    [InlineData("""{"a":{"dtype":"U8","shape":4,"data_offsets":[0,4]}}""", "no list")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-2,-2],"data_offsets":[0,4]}}""", "no list")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967297],"data_offsets":[0,4294967296]}}""", "number of bytes")]
    [InlineData("""{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}""", "number of bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[18446744073709551620],"data_offsets":[0,4]}}""", "no list")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}""", "larger than")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2000000000],"data_offsets":[0,2000000000]}}""", "found 4")]
    [InlineData("""{"__metadata__":{"x":1},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "'x' occurs twice or is no text")]
    [InlineData("""{"__metadata__":{"x":"1","x":"1"},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "'x' occurs twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "twice")]
    [InlineData("""{"__metadata__":[],"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "no map")]
    [InlineData("""{"__metadata__":{"sha256.data":"0"},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "only one of")]
    [InlineData("""{"__metadata__":{"sha256.header":"0"},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "only one of")]
    [InlineData("""{"__metadata__":{"sha256.header":"0","sha256.data":"0"},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "sha256.header")]
    [InlineData("""{"a\n\u2028b":{"dtype":"?","shape":[4],"data_offsets":[0,4]}}""", "'a\\u000a\\u2028b' has the unknown dtype")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}} {}""", "invalid JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},}""", "invalid JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}/**/}""", "invalid JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}""", "invalid JSON")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "not valid Unicode")]
    [InlineData("""[]""", "not JSON")]
    [InlineData(""" {}""", "not JSON")]
    [InlineData("", "not JSON")]
    [InlineData("""{}""", "need 0 bytes of data, found 4")]
    public void Hostile_headers_are_refused(string header, string reason) => Assert.Contains(reason, Refused(Raw(header, 1, 2, 3, 4)));

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData((ulong)long.MaxValue)]
    [InlineData(100_000_001UL)]
    [InlineData(13UL)]
    public void A_header_longer_than_the_file_or_the_limit_is_refused_without_reserving_it(ulong length)
    {
        byte[] bytes = Raw("{}          ");
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("claims a header", Refused(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void A_header_beyond_the_limit_is_refused_even_if_it_is_there()
    {
        string path = Path.Combine(_folder, "sparse");
        using (FileStream stream = File.Create(path))
        {
            stream.Write([0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, (byte)'{']); // 100,000,001
            stream.SetLength(200_000_000);
        }

        Assert.Contains("claims a header of 100000001 bytes", Assert.Throws<CheckpointFormatException>(() => SafeTensors.Read(path)).Message);
    }

    [Fact]
    public void Large_claims_reserve_no_memory()
    {
        byte[] bytes = Raw("""{"a":{"dtype":"U8","shape":[2000000000],"data_offsets":[0,2000000000]}}""", 1);
        Refused(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Deep_JSON_and_long_shapes_are_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 100_000));
        Refused(Raw($$"""{"a":{{deep}}"""));
        Refused(Raw($$$"""{"a":{"dtype":"U8","shape":{{{deep}}}"""));
        Refused(Raw($$"""{"__metadata__":{"a":{{deep}}"""));
        string ones = string.Join(",", Enumerable.Repeat("1", 65));
        Assert.Contains("at most 64", Refused(Raw($$$"""{"a":{"dtype":"U8","shape":[{{{ones}}}],"data_offsets":[0,1]}}""", 1)));
        Read(Raw($$$"""{"a":{"dtype":"U8","shape":[{{{ones[2..]}}}],"data_offsets":[0,1]}}""", 1));
    }

    [Fact]
    public void Invalid_UTF8_is_refused() =>
        Assert.Contains("not JSON", Refused([4, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'"', 0xFF, (byte)'"']));

    [Fact]
    public void The_message_names_the_file_on_one_line()
    {
        string path = Path.Combine(_folder, "notes.txt");
        File.WriteAllText(path, "These are just notes.\n");
        var exception = Assert.Throws<CheckpointFormatException>(() => SafeTensors.Read(path));
        Assert.StartsWith($"{path}: is damaged or no safetensors file", exception.Message);
        Assert.Equal(path, exception.Path);
        Assert.Throws<FileNotFoundException>(() => SafeTensors.Read(Path.Combine(_folder, "none")));
    }

    [Fact]
    public void Names_that_cannot_be_read_again_are_not_written_and_the_old_file_stays()
    {
        string path = Path.Combine(_folder, "a.safetensors");
        SafeTensors.Write(path, Example());
        byte[] before = File.ReadAllBytes(path);
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(path, [Byte("a"), Byte("a")]));
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(path, [Byte("__metadata__")]));
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(path, [Byte("half \ud800 pair")]));
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(path, [], new Dictionary<string, string> { ["x"] = "\udc00" }));
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(path, [], new Dictionary<string, string> { ["sha256.data"] = "" }));
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(path, [], new Dictionary<string, string> { ["sha256.header"] = "" }));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    internal static SafeTensor[] Example() =>
    [
        Byte("flag"),
        SafeTensor.FromFloats("block.0/weight \"quoted\" π", [1, -2.5f, float.NaN, float.NegativeInfinity, 0, float.Epsilon], 2, 3),
        SafeTensor.FromDoubles("scalar", [Math.PI]),
        SafeTensor.FromInt64s("step", [long.MinValue, 25_000], 2, 1),
        SafeTensor.FromFloats("empty", [], 0, 5),
    ];

    private static SafeTensor Byte(string name) => new(name, SafeTensorType.U8, [3], [1, 2, 3]);

    private static byte[] Bytes(IReadOnlyList<SafeTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var stream = new MemoryStream();
        SafeTensors.Write(stream, tensors, metadata);
        return stream.ToArray();
    }

    private static byte[] Raw(string header, params byte[] data)
    {
        byte[] length = new byte[8];
        byte[] text = Encoding.UTF8.GetBytes(header);
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        return [.. length, .. text, .. data];
    }

    private static SafeTensorFile Read(byte[] bytes) => SafeTensors.Read(new MemoryStream(bytes), "file");

    private static string Refused(byte[] bytes)
    {
        var exception = Assert.Throws<CheckpointFormatException>(() => Read(bytes));
        Assert.StartsWith("file: ", exception.Message);
        Assert.DoesNotContain('\n', exception.Message);
        return exception.Message;
    }
}
