using System.Text.Json;
using Lipschitz.Core.Tests.Data;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using SkiaSharp;

namespace Lipschitz.Cli.Tests;

public sealed class PictureTests : IDisposable
{
    private readonly CommandLine _line = new();

    public void Dispose() => _line.Dispose();

    [Theory]
    [InlineData(".png", 1)]
    [InlineData(".jpg", 1)]
    [InlineData(".png", 3)]
    public void A_folder_of_pictures_holds_out_every_tenth(string extension, int channels)
    {
        string folder = WritePictures("photos", 30, extension, isGrey: channels == 1);
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "no picture");
        DataSet set = DataSources.Load(folder);
        Assert.Equal(new ImageShape(4, 6, channels), set.Shape);
        IPointSource source = set.Source(Preset(set));
        Assert.Equal((27, 3), (source.TrainingRows, source.TestRows));
        Assert.Equal(0, Assert.IsAssignableFrom<ILabelledSource>(source).Classes);
        if (extension == ".png")
        {
            // Picture i is i everywhere, but for its first pixel, and names count up: 9, 19 and 29 are held out.
            double[] points = new double[3 * source.Width];
            source.Sample(new RandomKey(0, RandomPurpose.TestData), 0, points);
            Assert.Equal([9, 19, 29], points.Chunk(source.Width).Select(picture => (int)(256 * picture[^1])));
            Assert.All(points.Chunk(source.Width), picture => Assert.Equal(255, (int)(256 * picture[0])));
        }
    }

    [Fact]
    public void Sub_folders_are_classes()
    {
        foreach ((string name, int count) in new[] { ("cats", 12), ("dogs", 8), (".hidden", 3) })
        {
            WritePictures(Path.Combine("animals", name), count, ".png", isGrey: true);
        }

        DataSet set = DataSources.Load(_line.In("animals") + "/");
        var source = (PictureSource)set.Source(Preset(set));
        Assert.Equal((2, 18, 2), (source.Classes, source.TrainingRows, source.TestRows));
        int[] labels = new int[18];
        source.Labels(new RandomKey(0, RandomPurpose.TrainingData), 0, labels);
        Assert.Equal((11, 7), (labels.Count(label => label == 0), labels.Count(label => label == 1)));
        source.Labels(new RandomKey(0, RandomPurpose.TestData), 0, labels.AsSpan(0, 2));
        Assert.Equal([0, 1], labels[..2]);
    }

    [Fact]
    public void Named_sets_and_paths_are_opened()
    {
        PictureFiles.WriteMnist(_line.In("digits"), packed: true);
        string archive = Save("cifar.tar.gz", PictureFiles.CifarArchive());
        Assert.Equal(new ImageShape(28, 28, 1), DataSources.Load("mnist").Shape);
        Assert.Equal(new ImageShape(2, 3, 1), DataSources.Load("mnist", _line.In("digits")).Shape);
        Assert.Equal(new ImageShape(2, 3, 1), DataSources.Load("fashion", _line.In("digits")).Shape);
        Assert.Equal(new ImageShape(2, 3, 1), DataSources.Load(_line.In("digits")).Shape);
        Assert.Equal(new ImageShape(32, 32, 3), DataSources.Load("cifar10", archive).Shape);
        Assert.Equal(new ImageShape(32, 32, 3), DataSources.Load(archive).Shape);
        Assert.Equal(("cifar", "digits", "moons", "p"), (DataSources.ShortName(archive), DataSources.ShortName(_line.In("digits/")), DataSources.ShortName("moons"), DataSources.ShortName("x/p.csv")));
    }

    [Fact]
    public void The_model_takes_the_size_that_pictures_are_resized_to()
    {
        DataSet set = DataSources.Load("mnist");
        Configuration preset = Presets.Load("idensenet", set.Family);
        Configuration fitted = DataSet.Fit(preset with { Pictures = new PictureSettings { Size = 16, Flip = true } }, set.Shape);
        Assert.Equal(new ImageShape(16, 16, 1), fitted.Model.Image!.Shape);
        Assert.Equal(256, set.Source(fitted).Width);
        Assert.Throws<UsageException>(() => set.Source(fitted with { Pictures = null }));
        Assert.Throws<UsageException>(() => set.Source(preset with { Pictures = new PictureSettings { Size = 4096 } }));
        Assert.Throws<UsageException>(() => DataSources.Load("moons").Source(fitted));
    }

    [Fact]
    public void A_run_on_pictures_finds_its_data_again_wherever_they_lie()
    {
        string digits = _line.In("digits"), run = _line.In("run");
        PictureFiles.WriteMnist(digits);
        CommandLine.Succeed(
            "train", "mnist", "--data", digits, "--out", run, "--steps", "1", "--threads", "1", "--set", "batch=4", "--set", "growth=4", "--set", "model.depth=1",
            "--set", "firstSqueezes=0", "--set", "image.blocks=1", "--set", "fullyConnected=0", "--set", "evaluation.points=4");
        JsonElement configuration = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "config.json"))).RootElement;
        Assert.Equal(("mnist", digits), (configuration.GetProperty("data").GetString(), configuration.GetProperty("dataPath").GetString()));
        double before = CommandLine.Json("eval", run).GetProperty("negativeLogLikelihood").GetDouble();

        Directory.Move(digits, _line.In("elsewhere"));
        Assert.Contains($"there is no file or folder {digits}", CommandLine.Fail(ExitCode.Data, "eval", run), StringComparison.Ordinal);
        Assert.Equal(before, CommandLine.Json("eval", run, "--data", _line.In("elsewhere")).GetProperty("negativeLogLikelihood").GetDouble());
        CommandLine.Succeed("train", "--resume", run, "--data", _line.In("elsewhere"));
        string other = WritePictures("other", 20, ".png", isGrey: true);
        Assert.Contains("has no train-images", CommandLine.Fail(ExitCode.Data, "eval", run, "--data", other), StringComparison.Ordinal);
    }

    [Fact]
    public void A_grid_shows_each_picture_where_it_belongs()
    {
        // Three pictures of 2 x 1 pixels in two columns; a pixel of theirs takes 32 x 32 of the file.
        byte[] png = PictureGrid.Encode([0, 1, 0.5, 2, -1, double.NaN], new ImageShape(2, 1, 1), 2);
        using SKBitmap bitmap = SKBitmap.Decode(png);
        Assert.Equal((5 * 32, 7 * 32), (bitmap.Width, bitmap.Height));
        byte At(int x, int y) => bitmap.GetPixel((32 * x) + 16, (32 * y) + 16).Red;
        Assert.Equal([0, 255, 128, 255, 0, 0], new[] { At(1, 1), At(1, 2), At(3, 1), At(3, 2), At(1, 4), At(1, 5) });
        Assert.Equal([255, 255, 255], new[] { At(0, 0), At(2, 2), At(3, 4) });
    }

    [Fact]
    public void A_grid_of_colours_is_written_as_a_whole()
    {
        string path = _line.In("grid.png");
        PictureGrid.Write(path, [1, 0.5, 0], new ImageShape(1, 1, 3), 8);
        using SKBitmap bitmap = SKBitmap.Decode(path);
        Assert.Equal(new SKColor(255, 128, 0), bitmap.GetPixel(96, 96));
        Assert.Throws<ArgumentException>(() => PictureGrid.Encode([1, 2], new ImageShape(1, 1, 2), 1));
        Assert.Throws<ArgumentException>(() => PictureGrid.Encode([1, 2], new ImageShape(1, 1, 3), 1));
        Assert.Throws<ArgumentException>(() => PictureGrid.Encode(new double[20_000], new ImageShape(1, 1, 1), 1));
        Assert.Equal([10, 9, 1, 1], new[] { 1600, 1640, 9000, 20_000 }.Select(width => PictureGrid.Columns(new ImageShape(4, width, 1), 10)));
        Assert.True(PictureGrid.Fits(8191, new ImageShape(1, 1, 1), 1));
        Assert.False(PictureGrid.Fits(8192, new ImageShape(1, 1, 1), 1));
        Assert.False(PictureGrid.Fits(1, new ImageShape(1, 16_383, 1), 1));
        Assert.Throws<OutputException>(() => PictureGrid.Write(_line.In("none/grid.png"), [1], new ImageShape(1, 1, 1), 1));
    }

    [Fact]
    public void Damaged_or_unfit_pictures_are_exit_code_3_and_make_no_run()
    {
        string folder = WritePictures("photos", 20, ".png", isGrey: false);
        string bad = Path.Combine(folder, "07.png");
        byte[] good = File.ReadAllBytes(bad), other = Encode(7, 5, 4, SKEncodedImageFormat.Png), transparent = Encode(7, 6, 4, SKEncodedImageFormat.Png, alpha: 100);
        byte[] huge = [.. good];
        (huge[16], huge[20]) = (0x70, 0x70); // width and height, in the order of the header; its checksum is wrong now, too
        foreach ((byte[] bytes, string reason) in new[]
        {
            (Array.Empty<byte>(), "is empty"), (good[..20], "is no PNG or JPEG picture"), (good[..^30], "is damaged or truncated"), (huge, ""),
            (other, "has 5 x 4 pixels, 00.png has 6 x 4; give all pictures one size"), (transparent, "has transparent pixels"), ("hello"u8.ToArray(), "is no PNG"),
            (Encode(7, 6, 4, SKEncodedImageFormat.Webp), "is a picture of format Webp"), (Encode(7, 4097, 4097, SKEncodedImageFormat.Png), "has 4097 x 4097 pixels; at most 16777216"),
        })
        {
            File.WriteAllBytes(bad, bytes);
            Assert.Contains($"{bad}: {reason}", CommandLine.Fail(ExitCode.Data, "train", folder, "--out", _line.In("run")), StringComparison.Ordinal);
        }

        File.Delete(bad);
        Assert.Contains("holds 19 pictures; training needs at least 20", CommandLine.Fail(ExitCode.Data, "train", folder), StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(folder, "class"));
        Assert.Contains("lies beside sub-folders", CommandLine.Fail(ExitCode.Data, "train", folder), StringComparison.Ordinal);
        Assert.Contains("holds no .png", CommandLine.Fail(ExitCode.Data, "train", Directory.CreateDirectory(_line.In("empty")).FullName), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_line.In("run")));
    }

    private static Configuration Preset(DataSet set) => DataSet.Fit(Presets.Load("quick", set.Family), set.Shape);

    private string WritePictures(string name, int count, string extension, bool isGrey)
    {
        string folder = Directory.CreateDirectory(_line.In(name)).FullName;
        for (int i = 0; i < count; i++)
        {
            SKEncodedImageFormat format = extension == ".png" ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg;
            File.WriteAllBytes(Path.Combine(folder, $"{i:00}{extension}"), Encode(i, 6, 4, format, isGrey));
        }

        return folder;
    }

    // All pixels are the shade, but for the first, which is red or white.
    private static byte[] Encode(int shade, int width, int height, SKEncodedImageFormat format, bool isGrey = false, byte alpha = 255)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Erase(new SKColor((byte)shade, (byte)shade, (byte)shade, alpha));
        bitmap.SetPixel(0, 0, isGrey ? SKColors.White : SKColors.Red);
        using SKData data = bitmap.Encode(format, 100);
        return data.ToArray();
    }

    private string Save(string name, byte[] bytes)
    {
        File.WriteAllBytes(_line.In(name), bytes);
        return _line.In(name);
    }
}
