using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Cli.Reproduction;

/// <summary>One training of a paper's experiments.</summary>
/// <param name="Group">The group that trains it.</param>
/// <param name="Model">The model.</param>
/// <param name="Data">The data set.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Steps">Other steps than the experiment's, for a trial; null for its own.</param>
internal sealed record Cell(ExperimentGroup Group, ExperimentModel Model, ExperimentData Data, ulong Seed, long? Steps)
{
    private const int LeastTests = 5;

    /// <summary>The folder of the run below that of all runs. Trials lie apart, so that none can pass for the experiment.</summary>
    public string Name => $"{Folder(Group, IsTrial ? Steps : null)}/{Data.Name}-{Model.Name}-{Seed}";

    /// <summary>Whether the data are pictures, which have to lie somewhere.</summary>
    public bool IsOfPictures => DataSources.Shape(Data.Name) is not null;

    private bool IsTrial => Steps is { } steps && steps != Published(null).Training.Steps;

    /// <summary>The folder of a group's runs, or that of its trials of so many steps.</summary>
    public static string Folder(ExperimentGroup group, long? steps) => steps is { } count ? $"{group.Name}-{count}" : group.Name;

    /// <summary>The configuration that <c>lipschitz train DATA --model PRESET --set ..</c> makes of the same settings.</summary>
    /// <param name="dataPath">Where the pictures lie; null for points.</param>
    /// <remarks>
    /// In a trial warm-up, held concatenation and the span of the running average keep their parts of the training, so that it is the experiment in
    /// small; it is tested at least five times.
    /// </remarks>
    /// <exception cref="ConfigurationException">A change names no setting, or a value out of range.</exception>
    public Configuration Configuration(string? dataPath)
    {
        Configuration configuration = Published(dataPath);
        TrainingSettings training = configuration.Training;
        if (Steps is not { } steps || steps == training.Steps)
        {
            return configuration;
        }

        double part = (double)steps / training.Steps;
        return configuration with
        {
            Training = training with
            {
                Steps = steps,
                WarmupSteps = (long)Math.Round(training.WarmupSteps * part),
                HoldConcatenation = (long)Math.Round(training.HoldConcatenation * part),
                AverageDecay = Math.Round(Math.Pow(training.AverageDecay, 1 / part), 6),
                TestInterval = Math.Min(training.TestInterval, (steps + LeastTests - 1) / LeastTests),
            },
        };
    }

    private Configuration Published(string? dataPath)
    {
        ImageShape? shape = DataSources.Shape(Data.Name);
        Configuration preset = Presets.Load(Model.Preset!, shape is { } known ? Presets.FamilyOf(known) : PresetFamily.Points);
        preset = preset with { Data = Data.Name, DataPath = dataPath is null ? null : Path.GetFullPath(dataPath), Seed = Seed };
        return DataSet.Fit(ConfigurationJson.Override(preset, [.. Group.Set, .. Model.Set]), shape);
    }
}
