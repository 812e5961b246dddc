using System.Globalization;
using System.Text.Json.Nodes;
using Lipschitz.Checkpoints;
using Lipschitz.Models;

namespace Lipschitz.Cli.Reproduction;

/// <summary>Where the run of a cell is, or will be.</summary>
/// <param name="cell">The cell.</param>
/// <param name="runs">The folder of all runs.</param>
internal sealed class CellFolder(Cell cell, string runs)
{
    /// <summary>The cell.</summary>
    public Cell Cell => cell;

    /// <summary>The folder of the run.</summary>
    public string Path { get; } = System.IO.Path.Combine(runs, cell.Name);

    /// <summary>Whether there is a run, whatever its state.</summary>
    public bool HasRun => File.Exists(System.IO.Path.Combine(Path, "config.json"));

    /// <summary>The run; null where there is none yet.</summary>
    /// <exception cref="InputException">The folder holds a run that is not the cell's.</exception>
    /// <exception cref="CheckpointFormatException">It holds a damaged run.</exception>
    public RunDirectory? Open()
    {
        if (!HasRun)
        {
            ThrowIfOccupied();
            return null;
        }

        RunDirectory run = Runs.Open(Path);
        if (Difference(run.Configuration) is { } difference)
        {
            throw new InputException($"{Path} holds another run than {cell.Name}: {difference}; move it away");
        }

        return run;
    }

    /// <summary>The result of the run; null where it is not finished.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public CellResult? Result() => Open() is not null && CellResult.IsIn(Path) ? CellResult.Read(Path) : null;

    /// <summary>How far a run without a result is.</summary>
    public string Progress()
    {
        try
        {
            long step = Open() is { } run ? run.Metrics.Read().Select(line => line.Step).DefaultIfEmpty(0).Max() : -1;
            return step < 0 ? "not yet run" : string.Create(CultureInfo.InvariantCulture, $"unfinished, near step {step:N0}");
        }
        catch (Exception refusal) when (refusal is InputException or CheckpointFormatException)
        {
            return "its folder holds something else";
        }
    }

    // The place of the pictures may differ, but not whether there is one: digits that come with the library are a part of the set only.
    private string? Difference(Configuration found)
    {
        if (cell.IsOfPictures && found.DataPath is null)
        {
            return $"it was trained on the sample of {cell.Data.Name} that comes with the library, not on the whole set";
        }

        JsonNode expected = JsonNode.Parse(ConfigurationJson.Write(cell.Configuration(found.DataPath)))!;
        return FirstDifference(JsonNode.Parse(ConfigurationJson.Write(found with { DataPath = Full(found.DataPath) }))!, expected, "");
    }

    private static string? Full(string? path) => path is null ? null : System.IO.Path.GetFullPath(path);

    private static string? FirstDifference(JsonNode found, JsonNode expected, string key)
    {
        if (found is not JsonObject foundObject || expected is not JsonObject expectedObject)
        {
            return JsonNode.DeepEquals(found, expected) ? null : $"its {key} is {found.ToJsonString()}, expected {expected.ToJsonString()}";
        }

        foreach (string name in expectedObject.Select(p => p.Key).Union(foundObject.Select(p => p.Key)))
        {
            string inner = key.Length == 0 ? name : $"{key}.{name}";
            if (foundObject[name] is not { } a || expectedObject[name] is not { } b)
            {
                return $"only one of the two has {inner}";
            }

            if (FirstDifference(a, b, inner) is { } difference)
            {
                return difference;
            }
        }

        return null;
    }

    private void ThrowIfOccupied()
    {
        if (Directory.Exists(Path) && Directory.EnumerateFileSystemEntries(Path).Any())
        {
            throw new InputException($"{Path} holds files but no run (no config.json); move them away");
        }
    }
}
