using System.Text;
using Lipschitz.Data;

namespace Lipschitz.Core.Tests.Data;

public sealed class NpyTests : IDisposable
{
    // What numpy 1.24.2 writes: float32 [[0, 1/4, 1/2], [3/4, 1, 5/4]]; version 2 float64 [[1/3], [-1e300]]; int64 [3, -4, 2^62].
    private const string Float32 =
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPgAAAD8AAEA/AACAPwAAoD8=";

    private const string Float64Version2 =
        "k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMSksIH0gICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIApVVVVVVVXVP5x1AIg85Df+";

    private const string Int64 =
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoDAAAAAAAAAPz/////////AAAAAAAAAEA=";

    private readonly string _folder = Directory.CreateTempSubdirectory("npy").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Files_of_numpy_are_read()
    {
        NpyArray float32 = Read(Float32);
        Assert.Equal([2, 3], float32.Shape);
        Assert.Equal([0, 0.25f, 0.5f, 0.75f, 1, 1.25f], float32.AsFloat32!);
        Assert.Equal([0, 0.25, 0.5, 0.75, 1, 1.25], float32.ToFloat64());
        Assert.Null(float32.AsFloat64);

        NpyArray float64 = Read(Float64Version2);
        Assert.Equal((2, 1), (float64.Rows, float64.Columns));
        Assert.Equal([1.0 / 3, -1e300], float64.AsFloat64!);

        NpyArray int64 = Read(Int64);
        Assert.Equal([3], int64.Shape);
        Assert.Equal((3, 1), (int64.Rows, int64.Columns));
        Assert.Equal([3, -4, 1L << 62], int64.AsInt64!);
        Assert.Throws<OverflowException>(() => int64.ToFloat64());
    }

    [Fact]
    public void Written_files_equal_those_of_numpy()
    {
        Npy.Write(At("a.npy"), [0, 0.25f, 0.5f, 0.75f, 1, 1.25f], 2, 3);
        Assert.Equal(Convert.FromBase64String(Float32), File.ReadAllBytes(At("a.npy")));
        Npy.Write(At("a.npy"), [3L, -4, 1L << 62], 3);
        Assert.Equal(Convert.FromBase64String(Int64), File.ReadAllBytes(At("a.npy")));
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(700_001, 2)] // more than one chunk
    public void What_is_written_is_read_again(int rows, int columns)
    {
        double[] values = [.. Enumerable.Range(0, rows * columns).Select(i => Math.Sin(i))];
        Npy.Write(At("a.npy"), values, rows, columns);
        NpyArray array = Npy.Read(At("a.npy"));
        Assert.Equal([rows, columns], array.Shape);
        Assert.True(values.AsSpan().SequenceEqual(array.AsFloat64));
    }

    [Fact]
    public void A_shape_that_does_not_fit_is_refused_and_the_file_left_alone()
    {
        Npy.Write(At("a.npy"), [1.0], 1);
        byte[] before = File.ReadAllBytes(At("a.npy"));
        Assert.Throws<ArgumentException>(() => Npy.Write(At("a.npy"), [1.0, 2], 3));
        Assert.Throws<ArgumentException>(() => Npy.Write(At("a.npy"), [1.0, 2], 1, 3));
        Assert.Throws<ArgumentException>(() => Npy.Write(At("a.npy"), [1.0, 2], -1, -2));
        Assert.Throws<ArgumentException>(() => Npy.Write(At("a.npy"), [1.0, 2], 1, 1, 2));
        Assert.Throws<ArgumentException>(() => Npy.Write(At("a.npy"), [1.0]));
        Assert.Equal(before, File.ReadAllBytes(At("a.npy")));
    }

    [Fact]
    public void Every_truncation_and_any_extension_is_refused()
    {
        foreach (string file in new[] { Float32, Float64Version2, Int64 })
        {
            byte[] bytes = Convert.FromBase64String(file);
            for (int length = 0; length < bytes.Length; length++)
            {
                Refused(bytes[..length]);
            }

            Refused([.. bytes, 0]);
        }
    }

    [Fact]
    public void Whatever_bit_is_flipped_the_file_is_read_or_refused_in_one_line()
    {
        byte[] bytes = Convert.FromBase64String(Float32);
        int headerLength = bytes.Length - 24;
        for (int i = 0; i < headerLength * 8; i++)
        {
            byte[] damaged = [.. bytes];
            damaged[i / 8] ^= (byte)(1 << (i % 8));
            try
            {
                Assert.Equal(6, Npy.Read(new MemoryStream(damaged), "a.npy").ToFloat64().Length);
            }
            catch (DataFormatException exception)
            {
                Assert.DoesNotContain('\n', exception.Message);
            }
        }
    }

    [Theory]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "a.astype('<f4')")]
    [InlineData("{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }", "a.astype('<f4')")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (4,), }", "a.astype('<f4')")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }", "ascontiguousarray")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "a.reshape")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }", "a.reshape")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647), }", "split it")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 0), }", "split it")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2147480000,), }", "truncated")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }", "longer")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "numpy.save")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "numpy.save")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1 1), }", "numpy.save")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "numpy.save")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "numpy.save")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "numpy.save")]
    [InlineData("{'descr': '<f4', 'fortran_order': None, 'shape': (1,), }", "numpy.save")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "numpy.save")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "numpy.save")]
    [InlineData("[1]", "numpy.save")]
    [InlineData("", "numpy.save")]
    public void Other_arrays_are_refused_with_what_to_do(string header, string advice) =>
        Assert.Contains(advice, Refused(File1(header, [0, 0, 128, 63])));

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }")] // the order of one axis means nothing
    [InlineData("{'shape':(1,),'descr':\"<f4\",'fortran_order':False}")]
    [InlineData(" {  'shape' : ( 1 , 1 ) , 'fortran_order' : False , 'descr' : '<f4' }  ")]
    public void Unusual_ways_to_write_a_header_are_read(string header) =>
        Assert.Equal([1f], Npy.Read(new MemoryStream(File1(header, [0, 0, 128, 63])), "a.npy").AsFloat32!);

    [Fact]
    public void Other_files_are_refused_with_what_to_do()
    {
        Assert.Contains(".npz", Refused("PK\u0003\u0004 and so on"u8.ToArray()));
        Assert.Contains("numpy.save", Refused("x,y\n1,2\n3,4\n"u8.ToArray()));
        byte[] version3 = Convert.FromBase64String(Float32);
        version3[6] = 3;
        Assert.Contains("version 3.0", Refused(version3));
        byte[] hugeHeader = Convert.FromBase64String(Float64Version2);
        hugeHeader[11] = 0xFF;
        Assert.Contains("header claims", Refused(hugeHeader));
    }

    [Fact]
    public void The_message_names_the_file()
    {
        File.WriteAllText(At("a.npy"), "x");
        var exception = Assert.Throws<DataFormatException>(() => Npy.Read(At("a.npy")));
        Assert.Equal($"{At("a.npy")}: is not a .npy file; save it with numpy.save", exception.Message);
        Assert.Equal(At("a.npy"), exception.Path);
    }

    private static byte[] File1(string header, byte[] data) =>
        [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. data];

    private static string Refused(byte[] bytes)
    {
        var exception = Assert.Throws<DataFormatException>(() => Npy.Read(new MemoryStream(bytes), "a.npy"));
        Assert.StartsWith("a.npy: ", exception.Message);
        Assert.DoesNotContain('\n', exception.Message);
        return exception.Message;
    }

    private static NpyArray Read(string base64) => Npy.Read(new MemoryStream(Convert.FromBase64String(base64)), "a.npy");

    private string At(string name) => Path.Combine(_folder, name);
}
