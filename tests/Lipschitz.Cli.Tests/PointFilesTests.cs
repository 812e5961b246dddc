using Lipschitz.Data;

namespace Lipschitz.Cli.Tests;

public sealed class PointFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lipschitz-points").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("1,2\n3,4\n")]
    [InlineData("1,2\n3,4")]
    [InlineData("1;2\n3;4\n")]
    [InlineData("1\t2\n3\t4\n")]
    [InlineData("x,y\n1,2\n3,4\n")]
    [InlineData("\"x\",\"y\"\r\n1,2\r\n3,4\r\n")]
    [InlineData("# numpy.savetxt\n 1.0e0 , 2\n\n3,+4.0\n")]
    public void A_csv_file_is_read_with_or_without_header(string text)
    {
        Points points = PointFiles.Read(Save("p.csv", text));
        Assert.Equal(2, points.Width);
        Assert.Equal([1, 2, 3, 4], points.Values);
    }

    [Theory]
    [InlineData("1,2\n3,abc\n", "line 2, column 2: 'abc' is not a number")]
    [InlineData("x,y\n1,2\n\n3,\n", "line 4, column 2: the cell is empty")]
    [InlineData("1,2\n3,4\n5,6,7\n", "line 3: 3 columns, expected 2")]
    [InlineData("x\n1\n", "line 1: 1 column, expected 2; columns are separated by commas")]
    [InlineData("1 2\n", "line 1: 1 column, expected 2; columns are separated by commas")]
    [InlineData("1,x\n", "line 1, column 2: 'x' is not a number")]
    [InlineData("1,2\nnan,4\n", "line 2, column 1: NaN is not finite")]
    [InlineData("1,-inf\n", "line 1, column 2: -Infinity is not finite")]
    [InlineData("1,1e300\n", "line 1, column 2: 1E+300 is too large for float32")]
    [InlineData("", "holds no points")]
    [InlineData("x,y\n", "holds no points")]
    [InlineData("1,2\n3,\"4\n", "line 2: a quote is out of place")]
    public void A_bad_csv_file_is_refused_with_the_line(string text, string reason)
    {
        string path = Save("p.csv", text);
        var failure = Assert.Throws<DataFormatException>(() => PointFiles.Read(path, width: 2));
        Assert.Equal($"{path}: {reason}", failure.Message);
    }

    [Fact]
    public void A_bad_npy_file_is_refused_with_the_row()
    {
        string path = Path.Combine(_folder, "p.npy");
        Npy.Write(path, new double[] { 1, 2, 3, double.NaN }, 2, 2);
        Assert.Equal($"{path}: row 2, column 2: NaN is not finite", Assert.Throws<DataFormatException>(() => PointFiles.Read(path)).Message);
        Npy.Write(path, new double[] { 1, 2, 3 }, 3);
        Assert.Equal($"{path}: 1 column, expected 2", Assert.Throws<DataFormatException>(() => PointFiles.Read(path, 2)).Message);
        Npy.Write(path, Array.Empty<double>(), 0, 2);
        Assert.Equal($"{path}: holds no points", Assert.Throws<DataFormatException>(() => PointFiles.Read(path, 2)).Message);
    }

    [Theory]
    [InlineData("p.csv")]
    [InlineData("p.npy")]
    public void What_is_written_is_read_back_to_the_last_bit(string name)
    {
        double[] values = [0.1, -1e-300, 1.0 / 3, Math.PI * 1e20, -0.0, 7];
        string path = Path.Combine(_folder, name);
        PointFiles.Write(path, new Points(values, 3), ["a", "b", "c"]);
        Points read = PointFiles.Read(path, 3);
        Assert.Equal(values.Select(BitConverter.DoubleToInt64Bits), read.Values.Select(BitConverter.DoubleToInt64Bits));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_picture_of_points_is_a_png_file()
    {
        string path = Path.Combine(_folder, "p.png");
        PointFiles.Write(path, new Points([0, 0, 1, 1], 2), ["x1", "x2"]);
        Assert.Equal("\x89PNG"u8.ToArray()[^3..], File.ReadAllBytes(path)[1..4]);
    }

    [Theory]
    [InlineData("p.txt", 2, "its name must end in .csv, .npy or .png")]
    [InlineData("p.png", 3, "cannot draw points in 3 dimensions")]
    [InlineData("nowhere/p.csv", 2, "there is no folder")]
    public void What_cannot_be_written_is_said_beforehand(string name, int width, string reason)
    {
        string path = Path.Combine(_folder, name);
        Exception failure = Assert.ThrowsAny<Exception>(() => PointFiles.CheckWritable(path, width));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, ExitCode.Of(failure));
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_no_points()
    {
        Assert.Equal($"there is no file {_folder}/none.csv", Assert.Throws<InputException>(() => PointFiles.Read($"{_folder}/none.csv")).Message);
        Directory.CreateDirectory($"{_folder}/d.csv");
        Assert.Contains("is a directory", Assert.Throws<InputException>(() => PointFiles.Read($"{_folder}/d.csv")).Message, StringComparison.Ordinal);
        Assert.Contains("must end in", Assert.Throws<UsageException>(() => PointFiles.Read("points.txt")).Message, StringComparison.Ordinal);
    }

    private string Save(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
