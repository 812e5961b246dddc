using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Lipschitz.LogDet;
using Lipschitz.Names;

namespace Lipschitz.Models;

/// <summary>Configurations as JSON text.</summary>
public static class ConfigurationJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(allowIntegerValues: false) },
        WriteIndented = true,
    };

    /// <summary>Reads a configuration.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it came from, for messages.</param>
    /// <exception cref="ConfigurationException">The text is no complete configuration, or a value is out of range.</exception>
    public static Configuration Parse(string json, string source)
    {
        try
        {
            return Read(json);
        }
        catch (ConfigurationException e)
        {
            throw new ConfigurationException($"{source}: {e.Message}");
        }
    }

    /// <summary>As <see cref="Parse"/>, for a caller that names the source itself.</summary>
    internal static Configuration Read(string json)
    {
        try
        {
            return Checked(JsonSerializer.Deserialize<Configuration>(json, s_options) ?? throw new ConfigurationException("the configuration is empty."));
        }
        catch (JsonException e)
        {
            string line = e.LineNumber is { } number ? $"line {number + 1}: " : "";
            string key = (e.Path ?? "").TrimStart('$').TrimStart('.');
            throw new ConfigurationException(
                $"{line}{(key.Length == 0 ? "this is no complete configuration" : $"{key} is unknown, or what is there cannot be read")}.");
        }
    }

    /// <summary>The complete configuration as readable JSON; <see cref="Parse"/> reads it back unchanged.</summary>
    public static string Write(Configuration configuration) => JsonSerializer.Serialize(configuration, s_options);

    /// <summary>Replaces single values.</summary>
    /// <param name="configuration">The configuration to change.</param>
    /// <param name="assignments">Texts <c>key=value</c>; a key is a path such as <c>training.learningRate</c>, or its last part where only one key ends so.</param>
    /// <exception cref="ConfigurationException">A key is unknown or ambiguous, or a value does not fit; the message says which and what is near.</exception>
    public static Configuration Override(Configuration configuration, IEnumerable<string> assignments)
    {
        JsonObject root = JsonSerializer.SerializeToNode(configuration, s_options)!.AsObject();
        foreach (string assignment in assignments)
        {
            int equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new ConfigurationException($"--set {assignment}: expected key=value.");
            }

            string key = assignment[..equals], value = assignment[(equals + 1)..];
            (JsonObject parent, string name) = Find(root, key);
            JsonNode? old = parent[name];
            parent[name] = ParseValue(value, old);
            try
            {
                // The converter would join "ReLU, Tanh" as if they were flags.
                if (Choices(name) is not null && value.Contains(',', StringComparison.Ordinal))
                {
                    throw new JsonException();
                }

                root.Deserialize<Configuration>(s_options);
            }
            catch (JsonException)
            {
                string found = value.Length == 0 ? "an empty value" : $"'{Printable.Line(value, 100)}'";
                throw new ConfigurationException($"--set {key}={value}: expected {Expected(name, old, value)}, not {found}.");
            }
        }

        return Checked(root.Deserialize<Configuration>(s_options)!);
    }

    private static (JsonObject Parent, string Name) Find(JsonObject root, string key)
    {
        List<(string Path, JsonObject Parent, string Name)> leaves = [.. Leaves(root, "")];
        List<(string Path, JsonObject Parent, string Name)> matches =
            [.. leaves.Where(leaf => leaf.Path == key || leaf.Path.EndsWith("." + key, StringComparison.Ordinal))];
        if (matches.Any(leaf => leaf.Path == key))
        {
            matches = [.. matches.Where(leaf => leaf.Path == key)];
        }

        // The estimator of the test mirrors that of training; a short key means training's.
        if (matches.Count > 1)
        {
            List<(string Path, JsonObject Parent, string Name)> outer =
                [.. matches.Where(leaf => !leaf.Path.StartsWith("evaluation.", StringComparison.Ordinal))];
            matches = outer.Count == 1 ? outer : matches;
        }

        return matches.Count switch
        {
            1 => (matches[0].Parent, matches[0].Name),
            0 => throw new ConfigurationException("--set: " + new UnknownNameException("key", key, [.. leaves.Select(leaf => leaf.Name).Distinct()]).Message),
            _ => throw new ConfigurationException($"--set: key '{key}' could be {string.Join(" or ", matches.Select(leaf => leaf.Path))}; write it in full."),
        };
    }

    private static IEnumerable<(string Path, JsonObject Parent, string Name)> Leaves(JsonObject node, string prefix)
    {
        foreach ((string name, JsonNode? child) in node)
        {
            if (child is JsonObject inner)
            {
                foreach ((string, JsonObject, string) leaf in Leaves(inner, prefix + name + "."))
                {
                    yield return leaf;
                }
            }
            else
            {
                yield return (prefix + name, node, name);
            }
        }
    }

    private static JsonNode ParseValue(string text, JsonNode? old)
    {
        if (old is JsonValue value && value.GetValueKind() == JsonValueKind.String)
        {
            return JsonValue.Create(text);
        }

        try
        {
            // A list may be written without brackets: hidden=64,64.
            string json = old is JsonArray && !text.StartsWith('[') ? $"[{text}]" : text;
            return JsonNode.Parse(json) ?? JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static string Expected(string name, JsonNode? old, string value) => Choices(name) is { } choices
        ? $"one of {string.Join(", ", choices)}"
        : (old, old?.GetValueKind()) switch
        {
            (JsonArray, _) => "a list of whole numbers, such as 64,64",
            (_, JsonValueKind.True or JsonValueKind.False) => "true or false",
            (_, JsonValueKind.Number) when double.TryParse(value, CultureInfo.InvariantCulture, out _) => "a whole number in range",
            (_, JsonValueKind.Number) => "a number",
            _ => $"a value for {name}",
        };

    private static string[]? Choices(string name) => name switch
    {
        "activation" => Enum.GetNames<Backends.Activation>(),
        "method" => Enum.GetNames<LogDetMethod>(),
        "branch" => Enum.GetNames<BranchKind>(),
        "concatenation" => Enum.GetNames<ConcatenationKind>(),
        "schedule" => Enum.GetNames<ScheduleKind>(),
        "distribution" => Enum.GetNames<TailDistribution>(),
        "kind" => Enum.GetNames<TaskKind>(),
        "probe" => Enum.GetNames<ProbeKind>(),
        _ => null,
    };

    private static Configuration Checked(Configuration c)
    {
        Check(c.Model.Blocks >= 1, "model.blocks must be at least 1", c.Model.Blocks);
        Check(c.Model.Coefficient > 0, "model.coefficient must be positive", c.Model.Coefficient);
        Check(c.Model.ConcatenationBound > 0, "model.concatenationBound must be positive", c.Model.ConcatenationBound);
        if (c.Model.Branch == BranchKind.DenseNet)
        {
            Check(c.Model.Depth >= 1, "model.depth must be at least 1", c.Model.Depth);
            Check(c.Model.Growth >= 1, "model.growth must be at least 1", c.Model.Growth);
        }
        else
        {
            Check(c.Model.Hidden.All(h => h >= 1), "model.hidden must list positive widths", string.Join(",", c.Model.Hidden));
        }

        if (c.Model.Image is { } image)
        {
            Check(image is { Height: >= 1, Width: >= 1, Channels: >= 1 }, "model.image needs height, width and channels of at least 1", image.Shape);
            Check(image.Logit is > 0 and < 0.5, "model.image.logit must be between 0 and 0.5", image.Logit);
            Check(image.FirstSqueezes is >= 0 and < 16, "model.image.firstSqueezes must be 0 to 15", image.FirstSqueezes);
            Check(image.Blocks is { Length: >= 1 and < 16 }, "model.image.blocks must list the blocks of 1 to 15 scales", string.Join(",", image.Blocks));
            Check(image.Blocks.All(b => b >= 0), "model.image.blocks must not be negative", string.Join(",", image.Blocks));
            Check(image.FullyConnected >= 0, "model.image.fullyConnected must not be negative", image.FullyConnected);
            Check(image.Blocks.Sum() + image.FullyConnected >= 1, "model.image needs a block", "0");
            Check(image.FullyConnectedWidth >= 1, "model.image.fullyConnectedWidth must be at least 1", image.FullyConnectedWidth);
            Check(image.FullyConnectedDepth >= 1, "model.image.fullyConnectedDepth must be at least 1", image.FullyConnectedDepth);
            Check(image.FullyConnectedGrowth >= 1, "model.image.fullyConnectedGrowth must be at least 1", image.FullyConnectedGrowth);
            Check(image.FullyConnectedHidden.All(h => h >= 1), "model.image.fullyConnectedHidden must list positive widths", string.Join(",", image.FullyConnectedHidden));
        }

        if (c.Task is { } task)
        {
            Check(double.IsFinite(task.Weight) && task.Weight >= 0, "task.weight must not be negative", task.Weight);
            Check(task.Classes is >= 0 and <= 100_000, "task.classes must be 0 (as the data has) to 100000", task.Classes);
            Check(task.HeadChannels >= 1, "task.headChannels must be at least 1", task.HeadChannels);
        }

        Check(c.Pictures is null or { Size: >= 0 and <= 4096 }, "pictures.size must be 0 (as they are) to 4096", c.Pictures?.Size ?? 0);
        Check(c.Training.Steps >= 0, "training.steps must not be negative", c.Training.Steps);
        Check(c.Training.Batch >= 1, "training.batch must be at least 1", c.Training.Batch);
        Check(double.IsFinite(c.Training.LearningRate) && c.Training.LearningRate > 0, "training.learningRate must be positive", c.Training.LearningRate);
        Check(c.Training.Beta1 is >= 0 and < 1, "training.beta1 must be in [0, 1)", c.Training.Beta1);
        Check(c.Training.Beta2 is >= 0 and < 1, "training.beta2 must be in [0, 1)", c.Training.Beta2);
        Check(c.Training.Epsilon > 0, "training.epsilon must be positive", c.Training.Epsilon);
        Check(double.IsFinite(c.Training.MuonRate) && c.Training.MuonRate >= 0, "training.muonRate must not be negative", c.Training.MuonRate);
        Check(c.Training.MuonMomentum is >= 0 and < 1, "training.muonMomentum must be in [0, 1)", c.Training.MuonMomentum);
        Check(c.Training.Clip >= 0, "training.clip must not be negative", c.Training.Clip);
        Check(c.Training.WarmupSteps >= 0, "training.warmupSteps must not be negative", c.Training.WarmupSteps);
        Check(c.Training.AverageDecay is >= 0 and < 1, "training.averageDecay must be in [0, 1)", c.Training.AverageDecay);
        Check(c.Training.HoldConcatenation >= 0, "training.holdConcatenation must not be negative", c.Training.HoldConcatenation);
        Check(c.Training.PowerTolerance >= 0, "training.powerTolerance must not be negative", c.Training.PowerTolerance);
        Check(c.Training.PowerIterations >= 1, "training.powerIterations must be at least 1", c.Training.PowerIterations);
        Check(c.Training.MetricsInterval >= 1, "training.metricsInterval must be at least 1", c.Training.MetricsInterval);
        Check(c.Training.CheckpointInterval >= 1, "training.checkpointInterval must be at least 1", c.Training.CheckpointInterval);
        Check(double.IsFinite(c.Training.CheckpointMinutes) && c.Training.CheckpointMinutes >= 0, "training.checkpointMinutes must not be negative", c.Training.CheckpointMinutes);
        Check(c.Training.TestInterval >= 0, "training.testInterval must not be negative", c.Training.TestInterval);
        Check(c.Evaluation.Points >= 2, "evaluation.points must be at least 2", c.Evaluation.Points);
        Check(c.Evaluation.PowerIterations >= 0, "evaluation.powerIterations must not be negative", c.Evaluation.PowerIterations);
        Check(c.Evaluation.PowerTolerance >= 0, "evaluation.powerTolerance must not be negative", c.Evaluation.PowerTolerance);
        EstimatorFactory.Create(c.LogDet);
        EstimatorFactory.Create(c.Evaluation.LogDet);
        return c;
    }

    private static void Check(bool condition, string rule, object value)
    {
        if (!condition)
        {
            throw new ConfigurationException($"{rule}, not {FormattableString.Invariant($"{value}")}.");
        }
    }
}
