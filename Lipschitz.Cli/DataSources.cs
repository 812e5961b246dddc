using Lipschitz.Checkpoints;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Names;
using Lipschitz.Tensors;

namespace Lipschitz.Cli;

/// <summary>Where DATA comes from: a toy density or a set of pictures by name, a file of points, or an archive or folder of pictures.</summary>
internal static class DataSources
{
    private const int LeastPoints = 20;
    private const int LeastTestPictures = 2; // for a standard error
    private const string MnistName = "mnist";
    private const string FashionName = "fashion";
    private const string Cifar10Name = "cifar10";
    private static readonly string[] s_pictureSets = [MnistName, FashionName, Cifar10Name];
    private static readonly string[] s_archives = [".tar", ".tar.gz", ".tgz"];

    /// <summary>The names that DATA may be.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. ToyDensities.All.Select(density => density.Name), .. s_pictureSets];

    /// <summary>What DATA may be, for help.</summary>
    public static string Description { get; } =
        $"A data set ({string.Join(", ", Names)}), a .csv or .npy file of points, or a folder of PNG or JPEG pictures";

    /// <summary>Whether a name needs no path: all but pictures that have to be fetched.</summary>
    public static bool ComesWithLibrary(string data) => data is not (FashionName or Cifar10Name);

    /// <summary>The source that a configuration asks for.</summary>
    /// <exception cref="UnknownNameException">The name is none.</exception>
    /// <exception cref="UsageException">The pictures do not fit the model.</exception>
    public static IPointSource Open(Configuration configuration) =>
        Load(configuration.Data, configuration.DataPath).Source(configuration);

    /// <summary>Reads what DATA names.</summary>
    /// <param name="data">The name, file or folder.</param>
    /// <param name="path">Where the pictures of a named set lie; null for those that come with the library, and for all else.</param>
    /// <exception cref="UnknownNameException">The name is none.</exception>
    /// <exception cref="UsageException">The set does not come with the library and no path is given, or a path is given in vain.</exception>
    /// <exception cref="InputException">There is no such file or folder, or it cannot be read.</exception>
    /// <exception cref="DataFormatException">It is damaged or holds something else.</exception>
    public static DataSet Load(string data, string? path = null)
    {
        if (path is not null)
        {
            ThrowUnlessNamedPictures(data);
            ThrowUnlessExists(path);
        }

        return data switch
        {
            MnistName => path is null ? new DataSet(MnistSample.Load()) : Read(path, Mnist.Load),
            FashionName => Read(path ?? throw Missing("Fashion-MNIST", "the folder of its four files, as in Debian's package dataset-fashion-mnist"), Mnist.Load),
            Cifar10Name => Read(path ?? throw Missing("CIFAR-10", $"its archive, from {Cifar10Archive.Address}, or the folder it unpacks to"), Cifar10Archive.Load),
            _ when !IsPath(data) => new DataSet(Density(data)),
            _ => LoadPath(data),
        };
    }

    /// <summary>The shape of the pictures of a named set, known without reading it, or what <see cref="Load"/> finds; null for points.</summary>
    /// <inheritdoc cref="Load" path="/exception"/>
    public static ImageShape? Shape(string data) => data switch
    {
        MnistName or FashionName => new ImageShape(28, 28, 1),
        Cifar10Name => new ImageShape(32, 32, 3),
        _ => Load(data).Shape,
    };

    /// <summary>The configuration of a run whose data now lie at <paramref name="path"/>; null for where they were.</summary>
    public static Configuration At(Configuration configuration, string? path)
    {
        if (path is null)
        {
            return configuration;
        }

        string full = Path.GetFullPath(path);
        return IsPath(configuration.Data) ? configuration with { Data = full } : configuration with { DataPath = full };
    }

    /// <summary>The source of a run, at <paramref name="path"/> if it is there now; null for where it was.</summary>
    /// <exception cref="InputException">It is not there.</exception>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static IPointSource OfRun(Configuration configuration, string? path)
    {
        try
        {
            return Open(At(configuration, path));
        }
        catch (InputException missing) when (path is null)
        {
            throw new InputException($"{missing.Message}; where the run's data have moved, --data PATH says where to", missing);
        }
    }

    /// <summary>The source of a run as above, of points as wide as the run's model takes.</summary>
    /// <exception cref="InputException">It is not there, or its points have another number of columns.</exception>
    public static IPointSource OfRun(RunDirectory run, string? path)
    {
        IPointSource data = OfRun(run.Configuration, path);
        return run.ModelFacts() is not { } model || model.Width == data.Width ? data
            : throw new InputException(
                $"{At(run.Configuration, path).Data} has {data.Width} columns, the run {run.Path} was trained on {model.Width}; --data PATH says where its data lie");
    }

    /// <summary>Refuses a test of more points than memory holds.</summary>
    /// <exception cref="UsageException">The configuration asks for more.</exception>
    public static void CheckTestPoints(Configuration configuration, IPointSource data, string option)
    {
        int most = Array.MaxLength / data.Width;
        if (data.TestRows is null && configuration.Evaluation.Points > most)
        {
            throw new UsageException($"{option} {configuration.Evaluation.Points} are too many for the memory; at most {most}");
        }
    }

    /// <summary>What a configuration keeps: the name, or the full path, so that the run can be used from anywhere.</summary>
    public static string Address(string data) => IsPath(data) ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(data)) : data;

    /// <summary>A word for titles and folders: the name, or that of the file or folder without its extension.</summary>
    public static string ShortName(string data)
    {
        string name = Path.GetFileName(Address(data));
        return !IsPath(data) ? data
            : Archive(name) is { } extension ? name[..^extension.Length]
            : Directory.Exists(data) ? name
            : Path.GetFileNameWithoutExtension(name);
    }

    private static DataSet Read(string path, Func<string, PictureSplit> load)
    {
        PictureSplit pictures = InputException.Guard(path, () => load(path));
        return pictures.Test.Count >= LeastTestPictures
            ? new DataSet(pictures)
            : throw new DataFormatException(path, $"holds {pictures.Test.Count} test pictures; the test needs at least {LeastTestPictures}");
    }

    private static DataSet LoadPath(string path)
    {
        if (PointFiles.Extension(path) is ".csv" or ".npy")
        {
            Points points = PointFiles.Read(path);
            return points.Count >= LeastPoints
                ? new DataSet(new ArrayPoints(points.Values, points.Width))
                : throw new DataFormatException(path, $"holds {points.Count} points; training needs at least {LeastPoints}");
        }

        ThrowUnlessExists(path);
        return Directory.Exists(path)
            ? Read(path, Cifar10Archive.IsIn(path) ? Cifar10Archive.Load : Mnist.IsIn(path) ? Mnist.Load : PictureFolder.Load)
            : Archive(path) is not null
                ? Read(path, Cifar10Archive.Load)
                : throw new UsageException($"cannot read data from '{path}': a file must be a .csv or .npy file of points or a {string.Join(", ", s_archives)} archive");
    }

    private static ToyDensity Density(string name) =>
        Names.Contains(name) ? ToyDensities.Find(name) : throw new UnknownNameException("data set", name, Names);

    private static UsageException Missing(string name, string what) =>
        new($"{name} does not come with the library: give --data PATH, {what}");

    private static void ThrowUnlessNamedPictures(string data)
    {
        if (!s_pictureSets.Contains(data))
        {
            throw new UsageException($"--data PATH says where {string.Join(", ", s_pictureSets)} lie; {data} needs no such path");
        }
    }

    private static void ThrowUnlessExists(string path)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            throw new InputException($"there is no file or folder {path}");
        }
    }

    private static string? Archive(string path) => s_archives.FirstOrDefault(end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    // A file called moons does not hide the data set.
    private static bool IsPath(string data) => !Names.Contains(data)
        && (PointFiles.Extension(data) is ".csv" or ".npy" || Archive(data) is not null || data.Contains(Path.DirectorySeparatorChar)
            || data.Contains(Path.AltDirectorySeparatorChar) || File.Exists(data) || Directory.Exists(data));
}
