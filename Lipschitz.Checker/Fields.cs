using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>One JSON object with a closed set of fields: each present, each once, no other.</summary>
internal readonly struct Fields
{
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };
    private readonly JsonElement _object;

    private Fields(JsonElement element, string path) => (_object, Path) = (element, path);

    /// <summary>Where the object is, for messages.</summary>
    public string Path { get; }

    /// <summary>Reads a text in which no name occurs twice in an object.</summary>
    public static JsonElement Parse(byte[] utf8, string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, s_strict);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new Refusal(path, $"no valid JSON without repeated names ({e.Message.Split('\n')[0].Trim()})");
        }
    }

    /// <summary>An object that must have exactly the fields <paramref name="names"/>.</summary>
    public static Fields Exactly(JsonElement element, string path, params ReadOnlySpan<string> names)
    {
        Refusal.Unless(element.ValueKind == JsonValueKind.Object, path, $"{element.ValueKind} where an object is due");
        foreach (JsonProperty property in element.EnumerateObject())
        {
            Refusal.Unless(names.Contains(property.Name), $"{path}.{property.Name}", "unknown field");
        }

        foreach (string name in names)
        {
            Refusal.Unless(element.TryGetProperty(name, out _), $"{path}.{name}", "missing");
        }

        return new Fields(element, path);
    }

    /// <summary>An object that may have other fields.</summary>
    public static Fields AtLeast(JsonElement element, string path)
    {
        Refusal.Unless(element.ValueKind == JsonValueKind.Object, path, $"{element.ValueKind} where an object is due");
        return new Fields(element, path);
    }

    public string PathOf(string name) => $"{Path}.{name}";

    public JsonElement Element(string name) => _object.TryGetProperty(name, out JsonElement value)
        ? value
        : throw new Refusal(PathOf(name), "missing");

    public string Text(string name) => Element(name) is { ValueKind: JsonValueKind.String } value
        ? value.GetString()!
        : throw new Refusal(PathOf(name), "a text is due");

    public bool Flag(string name) => Element(name) switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw new Refusal(PathOf(name), "true or false is due"),
    };

    /// <summary>A finite number.</summary>
    public double Number(string name) => Number(Element(name), PathOf(name));

    /// <summary>A number that must be above 0.</summary>
    public double Positive(string name)
    {
        double value = Number(name);
        Refusal.Unless(value > 0, PathOf(name), "a positive number is due");
        return value;
    }

    public int Whole(string name) => Whole(Element(name), PathOf(name));

    public int[] Wholes(string name)
    {
        string path = PathOf(name);
        return [.. List(name).Select((element, i) => Whole(element, $"{path}[{i}]"))];
    }

    public double[] Numbers(string name)
    {
        string path = PathOf(name);
        return [.. List(name).Select((element, i) => Number(element, $"{path}[{i}]"))];
    }

    public JsonElement[] List(string name) => Element(name) is { ValueKind: JsonValueKind.Array } value
        ? [.. value.EnumerateArray()]
        : throw new Refusal(PathOf(name), "a list is due");

    /// <summary>A text that must be <paramref name="expected"/>.</summary>
    public void MustBe(string name, string expected)
    {
        string found = Text(name);
        Refusal.Unless(found == expected, PathOf(name), $"'{found}' where '{expected}' is due");
    }

    /// <summary>A whole number that must be <paramref name="expected"/>.</summary>
    public void MustBe(string name, int expected)
    {
        int found = Whole(name);
        Refusal.Unless(found == expected, PathOf(name), $"{found} where {expected} is due");
    }

    /// <summary>Numbers that must be <paramref name="expected"/>.</summary>
    public void MustBe(string name, int[] expected) => Refusal.Unless(
        Wholes(name).AsSpan().SequenceEqual(expected), PathOf(name), $"[{string.Join(", ", expected)}] is due");

    /// <summary>A claimed bound that must follow from <paramref name="proven"/> and must not be needlessly above it.</summary>
    public double Claim(string name, double proven)
    {
        const double slack = 1 + 1e-9;
        double claim = Positive(name);
        Refusal.Unless(claim >= proven, PathOf(name), $"{claim:R} is claimed, but only {proven:R} follows");
        Refusal.Unless(claim <= proven * slack, PathOf(name), $"{claim:R} is claimed where {proven:R} follows: not made by this rule");
        return claim;
    }

    private static double Number(JsonElement element, string path)
    {
        Refusal.Unless(element.ValueKind == JsonValueKind.Number, path, "a number is due");
        double value = element.GetDouble();
        Refusal.Unless(double.IsFinite(value), path, "a finite number is due");
        return value;
    }

    private static int Whole(JsonElement element, string path)
    {
        int value = 0;
        Refusal.Unless(element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out value) && value >= 0, path, "a count is due");
        return value;
    }
}
