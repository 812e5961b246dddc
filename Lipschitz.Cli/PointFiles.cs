using System.Globalization;
using CsvHelper;
using Lipschitz.Checkpoints;
using Lipschitz.Cli.Figures;
using Lipschitz.Data;
using Lipschitz.Models;

namespace Lipschitz.Cli;

/// <summary>Reads and writes tables of points: .csv (with or without a header), .npy, and .png to look at.</summary>
internal static class PointFiles
{
    private const string Readable = ".csv or .npy";

    // The separator, of , ; tab and |, is found from the first lines.
    private static readonly CsvReaderOptions s_reader = new()
    {
        HasHeader = false,
        CommentPrefix = '#',
        TrimWhitespace = true,
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
    };

    private static readonly CsvWriterOptions s_writer = new() { NewLine = "\n" };

    /// <summary>The points in a file.</summary>
    /// <param name="path">A .csv or .npy file.</param>
    /// <param name="width">How many columns it must have; null for any number, the same in each row.</param>
    /// <exception cref="DataFormatException">The file holds something else; the message says what and where.</exception>
    /// <exception cref="InputException">The file cannot be opened.</exception>
    /// <exception cref="UsageException">The extension is neither.</exception>
    public static Points Read(string path, int? width = null)
    {
        string extension = Extension(path);
        if (extension is not (".csv" or ".npy"))
        {
            throw new UsageException($"cannot read points from '{path}': its name must end in {Readable}");
        }

        if (Directory.Exists(path))
        {
            throw new InputException($"{path} is a directory, expected a {Readable} file");
        }

        Points points = InputException.Guard(path, () => extension == ".csv" ? ReadCsv(path, width) : ReadNpy(path, width));
        return points.Count > 0 ? points : throw new DataFormatException(path, "holds no points");
    }

    /// <summary>Throws unless <see cref="Write"/> can write points of this width to a file of this name.</summary>
    /// <param name="path">The file that is to be written.</param>
    /// <param name="width">Columns of what is to be written; null where nothing can be drawn.</param>
    /// <exception cref="UsageException">The extension is unknown, or the points cannot be drawn.</exception>
    /// <exception cref="OutputException">The file's folder does not exist.</exception>
    public static void CheckWritable(string path, int? width)
    {
        string extension = Extension(path);
        string choices = width is null ? Readable : ".csv, .npy or .png";
        if (!(extension is ".csv" or ".npy" || (extension == ".png" && width is not null)))
        {
            throw new UsageException($"cannot write to '{path}': its name must end in {choices}");
        }

        if (extension == ".png" && width != 2)
        {
            throw new UsageException($"cannot draw points in {width} dimensions; write a {Readable} file instead of '{path}'");
        }

        if (Directory.Exists(path))
        {
            throw new OutputException(path, new IOException("it is a directory"));
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
        {
            throw new OutputException(path, new DirectoryNotFoundException($"there is no folder {folder}"));
        }
    }

    /// <summary>Writes a table in the format of the extension; the file appears whole or not at all.</summary>
    /// <param name="path">A .csv, .npy or .png file.</param>
    /// <param name="points">The rows.</param>
    /// <param name="columns">The names of the columns, for the header of a .csv file.</param>
    public static void Write(string path, Points points, IReadOnlyList<string> columns) => WriteParts(path, [points.Values], points.Count, columns);

    /// <summary>Writes a table that comes in parts, so that a .csv or .npy file may be larger than the memory.</summary>
    /// <param name="path">A .csv, .npy or .png file.</param>
    /// <param name="parts">Whole rows each.</param>
    /// <param name="count">The rows of all parts.</param>
    /// <param name="columns">The names of the columns.</param>
    public static void WriteParts(string path, IEnumerable<double[]> parts, int count, IReadOnlyList<string> columns)
    {
        OutputException.Guard(path, () =>
        {
            switch (Extension(path))
            {
                case ".csv":
                    AtomicFile.Write(path, stream => WriteCsv(stream, parts, columns));
                    break;
                case ".npy":
                    AtomicFile.Write(path, stream => Npy.WriteParts(stream, parts, count, columns.Count));
                    break;
                default:
                    AtomicFile.Write(path, stream => stream.Write(ScatterFigure.Draw(Joined(parts))));
                    break;
            }
        });
    }

    /// <summary>Reads points for a flow; where it is of pictures, one a row, pixel by pixel and the channels of a pixel side by side.</summary>
    /// <exception cref="DataFormatException">The file is damaged, has another number of columns, or a picture has a number that its logit does not take.</exception>
    public static Points ReadFor(Configuration configuration, int width, string path)
    {
        Points points = Read(path, width);
        double margin = configuration.Model.Image is { } image ? image.Logit / (1 - (2 * image.Logit)) : double.PositiveInfinity; // samples may go so far
        int bad = Array.FindIndex(points.Values, value => value < -margin || value > 1 + margin);
        return bad < 0 ? points : throw new DataFormatException(
            path, string.Create(CultureInfo.InvariantCulture, $"{points.Place(bad / width)} has {points.Values[bad]}, but the numbers of pictures lie from 0 to 1; divide bytes by 256"));
    }

    /// <summary>All parts in one array.</summary>
    public static double[] Joined(IEnumerable<double[]> parts)
    {
        double[][] all = [.. parts];
        return all.Length == 1 ? all[0] : [.. all.SelectMany(part => part)];
    }

    /// <summary>Throws where writing a file would destroy one that is read.</summary>
    /// <exception cref="UsageException">It would.</exception>
    public static void CheckKept(string output, params string[] inputs)
    {
        if (File.Exists(output) && inputs.FirstOrDefault(input => File.Exists(input) && Target(input) == Target(output)) is not null)
        {
            throw new UsageException($"{output} is an input of this command and would be lost; write to another file");
        }
    }

    /// <summary>x1, x2, ….</summary>
    public static string[] CoordinateNames(int width) => [.. Enumerable.Range(1, width).Select(i => $"x{i}")];

    /// <summary>The extension in small letters, with its dot.</summary>
    public static string Extension(string path) => Path.GetExtension(path).ToLowerInvariant();

    // Where a path to a file or folder leads, links among its folders included.
    private static string Target(string path)
    {
        string full = Path.GetFullPath(path), target = File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        return Path.GetDirectoryName(target) is { } folder ? Path.Combine(Target(folder), Path.GetFileName(target)) : target;
    }

    private static Points ReadCsv(string path, int? width)
    {
        using CsvReader csv = CsvReader.FromFile(path, s_reader);
        var values = new List<double>();
        var lines = new List<long>();
        int? columns = width;
        try
        {
            for (bool first = true; csv.Read(); first = false)
            {
                string[] cells = csv.Current.ToArray();
                CheckWidth(cells.Length, ref columns, path, csv.LineNumber);
                bool isHeader = first && cells.All(cell => !TryParse(cell, out _)) && cells.Any(cell => cell.Length > 0);
                if (!isHeader)
                {
                    lines.Add(csv.LineNumber);
                }

                for (int column = 0; column < cells.Length && !isHeader; column++)
                {
                    string place = $"line {csv.LineNumber}, column {column + 1}";
                    if (!TryParse(cells[column], out double value))
                    {
                        string what = cells[column].Length == 0 ? "the cell is empty" : $"'{cells[column]}' is not a number";
                        throw new DataFormatException(path, $"{place}: {what}");
                    }

                    values.Add(Checked(value, path, place));
                }
            }
        }
        catch (CsvFormatException damage)
        {
            throw new DataFormatException(path, $"line {damage.LineNumber}: a quote is out of place");
        }

        return new Points([.. values], columns ?? 1) { Lines = lines };
    }

    private static void CheckWidth(int found, ref int? expected, string path, long line)
    {
        expected ??= found;
        if (found != expected)
        {
            string hint = found == 1 && expected > 1 ? "; columns are separated by commas" : "";
            throw new DataFormatException(path, $"line {line}: {found} {(found == 1 ? "column" : "columns")}, expected {expected}{hint}");
        }
    }

    private static Points ReadNpy(string path, int? width)
    {
        NpyArray array = Npy.Read(path);
        if (width is { } expected && array.Columns != expected)
        {
            string found = array.Columns == 1 ? "1 column" : $"{array.Columns} columns";
            throw new DataFormatException(path, $"{found}, expected {expected}");
        }

        double[] values = array.ToFloat64();
        int columns = Math.Max(1, array.Columns);
        for (int i = 0; i < values.Length; i++)
        {
            if (!IsUsable(values[i]))
            {
                Checked(values[i], path, $"row {(i / columns) + 1}, column {(i % columns) + 1}");
            }
        }

        return new Points(values, columns);
    }

    private static bool TryParse(string cell, out double value)
    {
        if (double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
        {
            return true;
        }

        value = cell.ToUpperInvariant() switch
        {
            "INF" or "+INF" => double.PositiveInfinity,
            "-INF" => double.NegativeInfinity,
            _ => 0,
        };
        return value != 0;
    }

    private static bool IsUsable(double value) => Math.Abs(value) <= float.MaxValue;

    private static double Checked(double value, string path, string place)
    {
        if (IsUsable(value))
        {
            return value;
        }

        string what = double.IsFinite(value) ? "is too large for float32" : "is not finite";
        throw new DataFormatException(path, string.Create(CultureInfo.InvariantCulture, $"{place}: {value} {what}"));
    }

    private static void WriteCsv(Stream stream, IEnumerable<double[]> parts, IReadOnlyList<string> columns)
    {
        using CsvWriter csv = CsvWriter.Create(stream, s_writer, leaveOpen: true);
        csv.WriteHeader([.. columns]);
        foreach (double[] part in parts)
        {
            for (int i = 0; i < part.Length; i++)
            {
                csv.WriteField(part[i].ToString("R", CultureInfo.InvariantCulture));
                if ((i + 1) % columns.Count == 0)
                {
                    csv.EndRecord();
                }
            }
        }
    }
}
