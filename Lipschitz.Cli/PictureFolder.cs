using System.Runtime.InteropServices;
using Lipschitz.Data;
using Lipschitz.Tensors;
using SkiaSharp;

namespace Lipschitz.Cli;

/// <summary>
/// Reads a folder of PNG and JPEG pictures of one size. Every tenth in the order of their names is held out; sub-folders, where there are
/// any, are classes.
/// </summary>
internal static class PictureFolder
{
    private const int HeldOutEvery = 10;
    private const int LeastPictures = 20;
    private const int MostClasses = 256;
    private const int MostPixels = 4096 * 4096; // of a picture; checked before it is decoded
    private const long LongestFile = 64L << 20;
    private const int ColourChannels = 3;
    private static readonly string[] s_extensions = [".png", ".jpg", ".jpeg"];

    /// <summary>The pictures, of one channel where all are grey and of three otherwise.</summary>
    /// <exception cref="DataFormatException">A picture is damaged or of another size, or there are too few; the message names it.</exception>
    /// <exception cref="IOException">The folder or a file cannot be read.</exception>
    public static PictureSplit Load(string folder)
    {
        List<Entry> entries = Find(folder, out int classes);
        if (entries.Count < LeastPictures)
        {
            string found = entries.Count == 0 ? "no .png or .jpg pictures" : $"{entries.Count} pictures";
            throw new DataFormatException(folder, $"holds {found}; training needs at least {LeastPictures}");
        }

        // Sizes are read from all headers before any memory is taken for pixels.
        SKSizeI size = Measure(entries[0].Path);
        foreach (Entry entry in entries)
        {
            SKSizeI other = Measure(entry.Path);
            if (other != size)
            {
                string first = Path.GetRelativePath(folder, entries[0].Path);
                throw new DataFormatException(
                    entry.Path, $"has {other.Width} x {other.Height} pixels, {first} has {size.Width} x {size.Height}; give all pictures one size");
            }
        }

        int pixels = size.Width * size.Height;
        if ((long)entries.Count * pixels * ColourChannels > PictureSet.MostBytes)
        {
            throw new DataFormatException(
                folder, $"holds {entries.Count} pictures of {size.Width} x {size.Height} pixels, more than {PictureSet.MostBytes >> 20} MB;"
                + " make them smaller or take fewer");
        }

        byte[] colours = new byte[entries.Count * pixels * ColourChannels];
        for (int i = 0; i < entries.Count; i++)
        {
            Decode(entries[i].Path, size, colours.AsSpan(i * pixels * ColourChannels, pixels * ColourChannels));
        }

        bool isGrey = IsGrey(colours);
        var shape = new ImageShape(size.Height, size.Width, isGrey ? 1 : ColourChannels);
        byte[] all = isGrey ? FirstChannel(colours) : colours;
        bool IsHeld(int i) => i % HeldOutEvery == HeldOutEvery - 1;
        return new PictureSplit(Part(i => !IsHeld(i)), Part(IsHeld));

        PictureSet Part(Func<int, bool> belongs)
        {
            int[] chosen = [.. Enumerable.Range(0, entries.Count).Where(belongs)];
            byte[] bytes = new byte[chosen.Length * shape.Count];
            for (int i = 0; i < chosen.Length; i++)
            {
                all.AsSpan(chosen[i] * shape.Count, shape.Count).CopyTo(bytes.AsSpan(i * shape.Count));
            }

            byte[] labels = classes == 0 ? [] : [.. chosen.Select(i => (byte)entries[i].Label)];
            return new PictureSet(shape, bytes, labels, classes);
        }
    }

    private static List<Entry> Find(string folder, out int classes)
    {
        List<Entry> entries = [.. Pictures(folder).Select(path => new Entry(path, 0))];
        string[] inner =
            [.. Directory.GetDirectories(folder).Where(path => !Path.GetFileName(path).StartsWith('.')).Order(StringComparer.Ordinal)];
        classes = 0;
        if (inner.Length == 0)
        {
            return entries;
        }

        if (entries.Count > 0)
        {
            throw new DataFormatException(
                entries[0].Path, "lies beside sub-folders; put every picture into the sub-folder of its class, or all into one folder");
        }

        classes = inner.Length <= MostClasses
            ? inner.Length
            : throw new DataFormatException(folder, $"has {inner.Length} sub-folders; at most {MostClasses} classes can be told apart");
        for (int label = 0; label < classes; label++)
        {
            string[] paths = Pictures(inner[label]);
            entries.AddRange(paths.Length > 0
                ? paths.Select(path => new Entry(path, label))
                : throw new DataFormatException(inner[label], "holds no .png or .jpg pictures; every sub-folder is a class and needs some"));
        }

        return entries;
    }

    private static string[] Pictures(string folder) =>
    [
        .. Directory.GetFiles(folder)
            .Where(path => s_extensions.Contains(Path.GetExtension(path).ToLowerInvariant()) && !Path.GetFileName(path).StartsWith('.'))
            .Order(StringComparer.Ordinal),
    ];

    private static SKSizeI Measure(string path)
    {
        using SKCodec codec = Open(path);
        return new SKSizeI(codec.Info.Width, codec.Info.Height);
    }

    private static SKCodec Open(string path)
    {
        long length = new FileInfo(path).Length;
        if (length is 0 or > LongestFile)
        {
            throw new DataFormatException(path, length == 0 ? "is empty; remove it" : $"is longer than {LongestFile >> 20} MB; make it smaller");
        }

        using (File.OpenRead(path))
        {
            // A file that may not be read is refused as such, not as damaged.
        }

        SKCodec codec = SKCodec.Create(path) ?? throw new DataFormatException(path, "is no PNG or JPEG picture, or a damaged one; remove or replace it");
        string? wrong = codec switch
        {
            { EncodedFormat: not (SKEncodedImageFormat.Png or SKEncodedImageFormat.Jpeg) } => $"is a picture of format {codec.EncodedFormat}; save it as PNG",
            { EncodedOrigin: not SKEncodedOrigin.TopLeft } => "is stored turned or mirrored (EXIF); save it upright",
            _ when (long)codec.Info.Width * codec.Info.Height > MostPixels =>
                $"has {codec.Info.Width} x {codec.Info.Height} pixels; at most {MostPixels} can be read",
            _ => null,
        };
        if (wrong is not null)
        {
            codec.Dispose();
            throw new DataFormatException(path, wrong);
        }

        return codec;
    }

    private static void Decode(string path, SKSizeI size, Span<byte> colours)
    {
        using SKCodec codec = Open(path);
        // No colour space, so that the bytes are those of the file.
        var info = new SKImageInfo(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        using var bitmap = new SKBitmap(info);
        SKCodecResult result = codec.GetPixels(info, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
        {
            throw new DataFormatException(path, $"is damaged or truncated ({result}); remove or replace it");
        }

        ReadOnlySpan<uint> pixels = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
        for (int i = 0; i < pixels.Length; i++)
        {
            uint pixel = pixels[i]; // red in the lowest byte
            if (pixel >> 24 != byte.MaxValue)
            {
                throw new DataFormatException(path, "has transparent pixels; save it without transparency");
            }

            Span<byte> target = colours.Slice(i * ColourChannels, ColourChannels);
            (target[0], target[1], target[2]) = ((byte)pixel, (byte)(pixel >> 8), (byte)(pixel >> 16));
        }
    }

    private static bool IsGrey(ReadOnlySpan<byte> colours)
    {
        for (int i = 0; i < colours.Length; i += ColourChannels)
        {
            if (colours[i] != colours[i + 1] || colours[i] != colours[i + 2])
            {
                return false;
            }
        }

        return true;
    }

    private static byte[] FirstChannel(ReadOnlySpan<byte> colours)
    {
        byte[] first = new byte[colours.Length / ColourChannels];
        for (int i = 0; i < first.Length; i++)
        {
            first[i] = colours[i * ColourChannels];
        }

        return first;
    }

    private readonly record struct Entry(string Path, int Label);
}
