namespace Lipschitz.Data;

/// <summary>The first 10,000 training and the first 2,000 test digits of MNIST, which come with the library.</summary>
/// <remarks>LeCun, Cortes and Burges, CC BY-SA 3.0: see the NOTICE beside the files in Data/Mnist10k.</remarks>
public static class MnistSample
{
    private const int Classes = 10;

    /// <summary>The digits, 28 x 28 grey pictures of ten classes.</summary>
    public static PictureSplit Load() => new(Read("train"), Read("t10k"));

    private static PictureSet Read(string part)
    {
        string images = $"mnist10k/{part}-images-idx3-ubyte.gz", labels = $"mnist10k/{part}-labels-idx1-ubyte.gz";
        using BoundedInput pictureBytes = Open(images), labelBytes = Open(labels);
        return IdxFile.Read(pictureBytes, images, labelBytes, labels, Classes);
    }

    private static BoundedInput Open(string name) => new(
        typeof(MnistSample).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The resource {name} is missing."), name);
}
