namespace Lipschitz.Data;

/// <summary>Reads MNIST, and Fashion-MNIST, whose files are named alike, from a folder.</summary>
public static class Mnist
{
    private const int Classes = 10;

    /// <summary>Whether a folder has one of the four files.</summary>
    public static bool IsIn(string folder) =>
        new[] { "train", "t10k" }.Any(part => Find(folder, part, "images", 3) is not null || Find(folder, part, "labels", 1) is not null);

    /// <summary>
    /// The pictures of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each with or
    /// without .gz, as ten classes.
    /// </summary>
    /// <exception cref="DataFormatException">A file is missing or damaged; the message names it and says what to do.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static PictureSplit Load(string folder)
    {
        PictureSet training = Read(folder, "train"), test = Read(folder, "t10k");
        return training.Shape == test.Shape
            ? new PictureSplit(training, test)
            : throw new DataFormatException(folder, $"has training pictures of {training.Shape} and test pictures of {test.Shape}; get one set");
    }

    private static PictureSet Read(string folder, string part) =>
        IdxFile.Read(Required(folder, part, "images", 3), Required(folder, part, "labels", 1), Classes);

    private static string Required(string folder, string part, string kind, int dimensions) =>
        Find(folder, part, kind, dimensions) ?? throw new DataFormatException(
            folder, $"has no {Name(part, kind, '-', dimensions)}.gz (with or without .gz); all four files of the set must be there");

    // Some tools write a dot before idx when they unpack.
    private static string? Find(string folder, string part, string kind, int dimensions) =>
        new[] { '-', '.' }
            .SelectMany(separator => new[] { "", ".gz" }.Select(end => Path.Combine(folder, Name(part, kind, separator, dimensions) + end)))
            .FirstOrDefault(File.Exists);

    private static string Name(string part, string kind, char separator, int dimensions) => $"{part}-{kind}{separator}idx{dimensions}-ubyte";
}
