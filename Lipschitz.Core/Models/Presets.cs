using Lipschitz.Names;
using Lipschitz.Tensors;

namespace Lipschitz.Models;

/// <summary>What a preset is for.</summary>
public enum PresetFamily
{
    /// <summary>Points of a few numbers.</summary>
    Points,

    /// <summary>Grey pictures, at 32 x 32 as in the papers' MNIST.</summary>
    Mnist,

    /// <summary>Colour pictures.</summary>
    Cifar10,
}

/// <summary>The configurations that come with the library.</summary>
public static class Presets
{
    private static readonly string[] s_common = ["quick", "idensenet", "idensenet-lc", "resflow"];
    private static readonly string[] s_points = [.. s_common, "idensenet-best"];
    private static readonly string[] s_cifar10 = [.. s_common, "idensenet-clipswish", "idensenet-clipswish-16", "resflow-16"];

    /// <summary>The names of the presets for points.</summary>
    public static IReadOnlyList<string> Names => s_points;

    /// <summary>The names of a family's presets.</summary>
    public static IReadOnlyList<string> NamesOf(PresetFamily family) => family switch
    {
        PresetFamily.Points => s_points,
        PresetFamily.Cifar10 => s_cifar10,
        _ => s_common,
    };

    /// <summary>The family for pictures of a shape.</summary>
    public static PresetFamily FamilyOf(ImageShape shape) => shape.Channels == 1 ? PresetFamily.Mnist : PresetFamily.Cifar10;

    /// <summary>The preset called <paramref name="name"/>.</summary>
    /// <exception cref="UnknownNameException">There is none; the message lists those there are.</exception>
    public static Configuration Load(string name, PresetFamily family = PresetFamily.Points)
    {
        if (!NamesOf(family).Contains(name))
        {
            throw new UnknownNameException("preset", name, NamesOf(family));
        }

        string file = family switch
        {
            PresetFamily.Mnist => $"mnist.{name}",
            PresetFamily.Cifar10 => $"cifar10.{name}",
            _ => name,
        };
        using Stream stream = typeof(Presets).Assembly.GetManifestResourceStream($"{file}.json")!;
        using var reader = new StreamReader(stream);
        return ConfigurationJson.Parse(reader.ReadToEnd(), $"preset {file}");
    }
}
