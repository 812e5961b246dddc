using Lipschitz.LogDet;
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
    private const int WideTestTerms = 20; // as in the papers' models of pictures

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

    /// <summary>
    /// The preset for points of <paramref name="width"/> columns: where they are more than the exact log-determinant takes, it is estimated by
    /// Russian roulette instead, without bias, in the test with 20 terms always taken.
    /// </summary>
    public static Configuration ForWidth(Configuration preset, int width)
    {
        if (width <= ExactDeterminant.LargestWidth)
        {
            return preset;
        }

        LogDetSettings training = preset.LogDet, test = preset.Evaluation.LogDet;
        return preset with
        {
            LogDet = training.Method == LogDetMethod.Exact ? training with { Method = LogDetMethod.Roulette } : training,
            Evaluation = preset.Evaluation with
            {
                LogDet = test.Method == LogDetMethod.Exact ? test with { Method = LogDetMethod.Roulette, ExactTerms = WideTestTerms } : test,
            },
        };
    }
}
