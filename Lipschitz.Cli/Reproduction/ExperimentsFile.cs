using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Names;

namespace Lipschitz.Cli.Reproduction;

/// <summary>Reads experiments.json and refuses whatever could not be run.</summary>
internal static partial class ExperimentsFile
{
    /// <summary>The file in the folder of a paper.</summary>
    public const string Name = "experiments.json";

    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Converters = { new JsonStringEnumConverter(allowIntegerValues: false) },
    };

    /// <summary>The experiments of a paper.</summary>
    /// <param name="folder">The paper's folder.</param>
    /// <exception cref="InputException">There is no such folder, or it has no experiments.json.</exception>
    /// <exception cref="DataFormatException">The file is damaged, has an unknown key, or names something that does not exist.</exception>
    public static Experiments Read(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new InputException(File.Exists(folder) ? $"{folder} is a file, expected the folder of a paper" : $"there is no folder {folder}");
        }

        string path = Path.Combine(folder, Name);
        string text = InputException.Guard(path, () => File.ReadAllText(path));
        try
        {
            Experiments experiments = JsonSerializer.Deserialize<Experiments>(text, s_options) ?? throw new DataFormatException(path, "is empty");
            Check(experiments);
            return experiments;
        }
        catch (JsonException damage)
        {
            throw new DataFormatException(path, Reason(damage));
        }
        catch (Exception refusal) when (refusal is UnknownNameException or ConfigurationException)
        {
            throw new DataFormatException(path, refusal.Message);
        }
    }

    private static void Check(Experiments experiments)
    {
        ThrowUnlessDistinct("group", experiments.Groups.Select(group => group.Name));
        foreach (ExperimentGroup group in experiments.Groups)
        {
            ThrowUnlessDistinct($"model of {group.Name}", group.Models.Select(model => model.Name));
            ThrowUnlessDistinct($"data set of {group.Name}", group.Data.Select(data => data.Name));
            Require(group.TestPoints is null or >= 2, $"testPoints of {group.Name} must be at least 2");
            foreach (ExperimentData data in group.Data)
            {
                string? stranger = data.Published.Keys.FirstOrDefault(name => group.Models.All(model => model.Name != name));
                Require(stranger is null, $"{group.Name} publishes a result of {stranger} on {data.Name}, but has no model of that name");
                foreach (ExperimentModel model in group.Models)
                {
                    CheckModel(experiments, group, model, data);
                }
            }
        }
    }

    private static void CheckModel(Experiments experiments, ExperimentGroup group, ExperimentModel model, ExperimentData data)
    {
        string name = $"{model.Name} of {group.Name}";
        Require(model.From is null ^ model.Preset is null, $"{name} needs either preset or from");
        if (model.From is null)
        {
            try
            {
                experiments.Cell(group, model, data, seed: 0, steps: null).Configuration(dataPath: null);
            }
            catch (Exception refusal) when (refusal is UnknownNameException or ConfigurationException or UsageException or InputException)
            {
                throw new ConfigurationException($"{name} on {data.Name}: {refusal.Message}");
            }

            return;
        }

        ExperimentGroup other = experiments.Group(model.From);
        Require(model.Set.Count == 0, $"{name} is from {other.Name}, so that it cannot have changes of its own");
        Require(
            other != group && other.Models.Any(m => m.Name == model.Name && m.From is null) && other.Data.Any(d => d.Name == data.Name),
            $"{name} on {data.Name} is said to be from {other.Name}, which does not train it");
    }

    private static void ThrowUnlessDistinct(string what, IEnumerable<string> names)
    {
        var seen = new HashSet<string>();
        foreach (string name in names)
        {
            Require(FolderName().IsMatch(name), $"the {what} '{name}' must be named by lower-case letters, digits, dots and hyphens");
            Require(seen.Add(name), $"the {what} '{name}' is there twice");
        }

        Require(seen.Count > 0, $"there is no {what}");
    }

    private static void Require(bool condition, string rule)
    {
        if (!condition)
        {
            throw new ConfigurationException(rule);
        }
    }

    private static string Reason(JsonException damage)
    {
        Match unknown = Unknown().Match(damage.Message), missing = Missing().Match(damage.Message);
        string place = (damage.Path ?? "").TrimStart('$', '.');
        string what = unknown.Success ? $"unknown key '{unknown.Groups[1].Value}'"
            : missing.Success ? $"missing {missing.Groups[1].Value}"
            : "no JSON, or a value of another kind than expected";
        return $"{what} in line {damage.LineNumber + 1}{(place.Length == 0 ? "" : $" (at {place})")}";
    }

    [GeneratedRegex("property '([^']+)' could not be mapped")]
    private static partial Regex Unknown();

    [GeneratedRegex("missing required properties including: ([^.]+)")]
    private static partial Regex Missing();

    [GeneratedRegex("^[a-z0-9][a-z0-9.-]*$")]
    private static partial Regex FolderName();
}
