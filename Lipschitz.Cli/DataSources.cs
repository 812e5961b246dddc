using Lipschitz.Data;

namespace Lipschitz.Cli;

/// <summary>Where DATA comes from: a toy density by name, or a file of points.</summary>
internal static class DataSources
{
    private const int LeastPoints = 20;

    /// <summary>The source.</summary>
    /// <exception cref="Names.UnknownNameException">The name is neither.</exception>
    public static IPointSource Open(string data)
    {
        if (!IsFile(data))
        {
            return ToyDensities.Find(data);
        }

        Points points = PointFiles.Read(data);
        return points.Count >= LeastPoints
            ? new ArrayPoints(points.Values, points.Width)
            : throw new DataFormatException(data, $"holds {points.Count} points; training needs at least {LeastPoints}");
    }

    /// <summary>What a configuration keeps: the name, or the file's full path, so that the run can be used from anywhere.</summary>
    public static string Address(string data) => IsFile(data) ? Path.GetFullPath(data) : data;

    /// <summary>A word for titles and folders: the name, or the file's name without its folder and extension.</summary>
    public static string ShortName(string data) => IsFile(data) ? Path.GetFileNameWithoutExtension(data) : data;

    // A file called moons does not hide the data set.
    private static bool IsFile(string data) => PointFiles.Extension(data) is ".csv" or ".npy"
        || (File.Exists(data) && ToyDensities.All.All(density => density.Name != data));
}
