using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Cli;

/// <summary>What DATA names, read: points, or pictures before they are resized.</summary>
internal sealed class DataSet
{
    private readonly IPointSource? _points;
    private readonly PictureSplit? _pictures;

    /// <summary>Points.</summary>
    public DataSet(IPointSource points) => _points = points;

    /// <summary>Pictures.</summary>
    public DataSet(PictureSplit pictures) => _pictures = pictures;

    /// <summary>The shape of the pictures as they were read; null for points.</summary>
    public ImageShape? Shape => _pictures?.Training.Shape;

    /// <summary>Columns of a point; null for pictures.</summary>
    public int? Columns => _points?.Width;

    /// <summary>Which presets are for this data.</summary>
    public PresetFamily Family => Shape is { } shape ? Presets.FamilyOf(shape) : PresetFamily.Points;

    /// <summary>A configuration whose model takes pictures of this shape after its own resizing; for points, the same.</summary>
    public static Configuration Fit(Configuration configuration, ImageShape? shape)
    {
        if (shape is not { } read || configuration.Model.Image is not { } image)
        {
            return configuration;
        }

        int size = configuration.Pictures?.Size ?? 0;
        ImageSettings fitted = image with
        {
            Height = size > 0 ? size : read.Height,
            Width = size > 0 ? size : read.Width,
            Channels = read.Channels,
        };
        return configuration with { Model = configuration.Model with { Image = fitted } };
    }

    /// <summary>The source that a configuration asks for: its size, its mirroring, its batch.</summary>
    /// <exception cref="UsageException">The pictures would become too large, or the model is not one of such data.</exception>
    public IPointSource Source(Configuration configuration)
    {
        ImageShape? expected = configuration.Model.Image?.Shape;
        if (_pictures is null)
        {
            return expected is null ? _points! : throw new UsageException($"the model takes pictures of {expected}, {configuration.Data} are points");
        }

        PictureSettings settings = configuration.Pictures ?? new PictureSettings();
        PictureSplit pictures;
        try
        {
            pictures = _pictures.Resized(settings.Size);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new UsageException(
                $"pictures.size={settings.Size} makes {_pictures.Training.Count} pictures larger than {PictureSet.MostBytes >> 20} MB; choose a smaller size");
        }

        ImageShape found = pictures.Training.Shape;
        return expected is null || expected == found
            ? new PictureSource(pictures, configuration.Training.Batch, settings.Flip)
            : throw new UsageException($"the model takes pictures of {expected}, those of {configuration.Data} are {found}");
    }
}
