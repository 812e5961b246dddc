using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Cuda.Tests;

/// <summary>The presets, with few and narrow layers and a small batch.</summary>
/// <remarks>
/// Adam divides a gradient by its own size, and so takes whole steps along numbers whose gradient is nothing but rounding errors. An epsilon far
/// greater than those leaves such steps out, so that two machines can be compared.
/// </remarks>
internal static class TinyModels
{
    private const double Epsilon = 0.1;
    private static readonly ImageShape s_shape = new(8, 8, 2);

    private static readonly TaskSettings s_hybrid = new() { Kind = TaskKind.Hybrid, Weight = 0.1, Classes = 3, HeadChannels = 8 };

    private static readonly Dictionary<string, Func<Configuration>> s_models = new()
    {
        ["points resflow"] = () => Points("resflow"),
        ["points idensenet-lc"] = () => Points("idensenet-lc"),
        ["points quick"] = () => Points("quick"),
        ["points idensenet-lc, Muon"] = () => ByMuon(Points("idensenet-lc")),
        ["pictures idensenet-lc, Muon"] = () => ByMuon(Pictures("idensenet-lc", null)),
        ["pictures quick, hybrid, Muon"] = () => ByMuon(Pictures("quick", s_hybrid)),
        ["pictures resflow"] = () => Pictures("resflow", null),
        ["pictures idensenet-lc"] = () => Pictures("idensenet-lc", null),
        ["pictures quick, hybrid"] = () => Pictures("quick", s_hybrid),
    };

    public static IEnumerable<string> Names => s_models.Keys;

    /// <summary>A trainer of one of them.</summary>
    public static Trainer Create(string name, IBackend backend)
    {
        Configuration configuration = s_models[name]() with { Name = name, Seed = 7 };
        return new Trainer(configuration, backend, configuration.Model.Image is null ? new Moons() : Source());
    }

    private static Configuration Points(string preset)
    {
        Configuration configuration = Presets.Load(preset, PresetFamily.Points);
        ModelSettings model = configuration.Model;
        return configuration with
        {
            Model = model with
            {
                Blocks = 2,
                Depth = Math.Min(model.Depth, 2),
                Growth = Math.Min(model.Growth, 8),
                Hidden = model.Hidden.Length > 0 ? [16, 16] : [],
            },
            Training = configuration.Training with
            {
                Batch = 72,
                WarmupSteps = 0,
                HoldConcatenation = 5,
                PowerIterations = 3,
                Epsilon = Epsilon,
            },
            Evaluation = configuration.Evaluation with { Points = 100 },
        };
    }

    private static Configuration Pictures(string preset, TaskSettings? task)
    {
        Configuration configuration = Presets.Load(preset, PresetFamily.Cifar10);
        ModelSettings model = configuration.Model;
        return configuration with
        {
            Task = task,
            Model = model with
            {
                Depth = Math.Min(model.Depth, 2),
                Growth = Math.Min(model.Growth, 6),
                Hidden = model.Hidden.Length > 0 ? [8, 8] : [],
                Image = model.Image! with
                {
                    Shape = s_shape,
                    FirstSqueezes = 0,
                    Blocks = [1, 1],
                    FullyConnected = 1,
                    FullyConnectedWidth = 8,
                    FullyConnectedDepth = 1,
                    FullyConnectedGrowth = 4,
                    FullyConnectedHidden = [8],
                },
            },
            Training = configuration.Training with { Batch = 6, WarmupSteps = 0, PowerIterations = 3, PowerTolerance = 0, Epsilon = Epsilon },
            Evaluation = configuration.Evaluation with { Points = 10, PowerIterations = 10 },
        };
    }

    private static Configuration ByMuon(Configuration configuration) =>
        configuration with { Training = configuration.Training with { MuonRate = 0.02 } };

    private static PictureSource Source()
    {
        var random = new Random(1);
        PictureSet Set(int count)
        {
            var pixels = new byte[count * s_shape.Count];
            random.NextBytes(pixels);
            return new PictureSet(s_shape, pixels, [.. Enumerable.Range(0, count).Select(i => (byte)(i % 3))], 3);
        }

        return new PictureSource(new PictureSplit(Set(20), Set(10)), 6, flip: true);
    }
}
