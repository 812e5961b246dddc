using System.Globalization;
using Lipschitz.Checkpoints;
using Lipschitz.Data;

namespace Lipschitz.Cli.Reproduction;

/// <summary>What the folder of all runs holds of a paper's experiments.</summary>
/// <param name="experiments">The experiments.</param>
/// <param name="runs">The folder of all runs, which need not exist.</param>
internal sealed class Catalogue(Experiments experiments, string runs)
{
    /// <summary>The experiments.</summary>
    public Experiments Experiments => experiments;

    /// <summary>The summary of every model and data set of a group, data set by data set.</summary>
    /// <param name="group">The group.</param>
    /// <param name="steps">The steps of trials; null for the experiments themselves.</param>
    public IReadOnlyList<CellSummary> Summaries(ExperimentGroup group, long? steps = null) =>
        [.. group.Data.SelectMany(data => group.Models.Select(model => Summary(group, model, data, steps)))];

    /// <summary>Other numbers of steps that a group, or one that it takes models from, has runs of; increasing.</summary>
    public IReadOnlyList<long> Trials(ExperimentGroup group)
    {
        HashSet<string> groups = [group.Name, .. group.Models.Select(model => model.From).OfType<string>()];
        return [.. Folders(runs).SelectMany(folder => groups.Select(name => Number(folder, name + "-"))).OfType<long>().Distinct().Order()];
    }

    /// <summary>
    /// The finished run to draw a model by: with the experiment's own steps where there is one, otherwise the longest trial; of the lowest seed.
    /// </summary>
    public CellFolder? Shown(ExperimentGroup group, ExperimentModel model, ExperimentData data)
    {
        long?[] lengths = [null, .. Trials(group).Reverse().Select(steps => (long?)steps)];
        return lengths.SelectMany(steps => Folders(group, model, data, steps))
            .FirstOrDefault(folder => Result(folder) is not null && folder.Open()!.HasModel);
    }

    private CellSummary Summary(ExperimentGroup group, ExperimentModel model, ExperimentData data, long? steps)
    {
        IReadOnlyList<CellFolder> folders = Folders(group, model, data, steps);
        CellResult[] finished = [.. folders.Select(Result).OfType<CellResult>()];
        string pending = (folders.Count > 0 ? folders[0] : Folder(group, model, data, 0, steps)).Progress();
        double? entropy = ToyDensities.All.FirstOrDefault(density => density.Name == data.Name)?.Entropy;
        return new CellSummary(
            group, model, data, finished, pending, entropy,
            LipschitzBudget.Of(experiments.Cell(group, model, data, 0, steps).Configuration(null).Model));
    }

    private CellFolder Folder(ExperimentGroup group, ExperimentModel model, ExperimentData data, ulong seed, long? steps) =>
        new(experiments.Cell(group, model, data, seed, steps), runs);

    // Those that are there, by seed.
    private IReadOnlyList<CellFolder> Folders(ExperimentGroup group, ExperimentModel model, ExperimentData data, long? steps)
    {
        string any = Folder(group, model, data, 0, steps).Path;
        string parent = Path.GetDirectoryName(any)!, prefix = Path.GetFileName(any)[..^1]; // without the seed
        return
        [
            .. Folders(parent).Select(name => Number(name, prefix)).OfType<long>().Order()
                .Select(seed => Folder(group, model, data, (ulong)seed, steps)).Where(folder => folder.HasRun),
        ];
    }

    private static IEnumerable<string> Folders(string parent) =>
        Directory.Exists(parent) ? Directory.EnumerateDirectories(parent).Select(path => Path.GetFileName(path)) : [];

    private static long? Number(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    // Runs that are refused where they are to be run are only left out where results are shown.
    private static CellResult? Result(CellFolder folder)
    {
        try
        {
            return folder.Result();
        }
        catch (Exception refusal) when (refusal is InputException or CheckpointFormatException)
        {
            return null;
        }
    }
}
