using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>One JSON object with a closed set of fields: each present, each once, no other.</summary>
internal sealed class Fields
{
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };
    private readonly JsonElement _object;

    private Fields(JsonElement element, string path)
    {
        (_object, Path) = (element, path);
        Refusal.Unless(element.ValueKind == JsonValueKind.Object, path, $"{element.ValueKind} where an object is due");
    }

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
        var fields = new Fields(element, path);
        fields.MustHaveExactly(names);
        return fields;
    }

    /// <summary>An object that may have other fields.</summary>
    public static Fields AtLeast(JsonElement element, string path) => new(element, path);
    public void MustHaveExactly(params ReadOnlySpan<string> names)
    {
        foreach (JsonProperty property in _object.EnumerateObject())
        {
            Refusal.Unless(names.Contains(property.Name), PathOf(property.Name), "unknown field");
        }

        foreach (string name in names)
        {
            Element(name);
        }
    }

    public bool Has(string name) => _object.TryGetProperty(name, out _);
    public string PathOf(string name) => $"{Path}.{name}";

    public JsonElement Element(string name) =>
        _object.TryGetProperty(name, out JsonElement value) ? value : throw new Refusal(PathOf(name), "missing");

    /// <summary>A field that must be an object with exactly the fields <paramref name="names"/>.</summary>
    public Fields Object(string name, params ReadOnlySpan<string> names) => Exactly(Element(name), PathOf(name), names);

    public string Text(string name) =>
        Element(name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : throw new Refusal(PathOf(name), "a text is due");

    public bool Flag(string name) => Element(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value
        ? value.GetBoolean()
        : throw new Refusal(PathOf(name), "true or false is due");

    public JsonElement[] List(string name) => Element(name) is { ValueKind: JsonValueKind.Array } value
        ? [.. value.EnumerateArray()]
        : throw new Refusal(PathOf(name), "a list is due");

    /// <summary>A list that must have <paramref name="count"/> elements.</summary>
    public JsonElement[] List(string name, int count) => List(name) is { } list && list.Length == count
        ? list
        : throw new Refusal(PathOf(name), $"{count} elements are due");

    public double Number(string name) => Number(Element(name), PathOf(name));

    public double Positive(string name) =>
        Number(name) is > 0 and double value ? value : throw new Refusal(PathOf(name), "a positive number is due");

    public double[] Numbers(string name) => [.. List(name).Select((element, i) => Number(element, $"{Path}.{name}[{i}]"))];
    public int Whole(string name) => Whole(Element(name), PathOf(name));
    public int[] Wholes(string name) => [.. List(name).Select((element, i) => Whole(element, $"{Path}.{name}[{i}]"))];
    public int Count(string name) => Whole(name) is > 0 and int count ? count : throw new Refusal(PathOf(name), "is 0");
    public int[] Counts(string name) => Wholes(name) is { } all && !all.Contains(0) ? all : throw new Refusal(PathOf(name), "has a 0");
    public void MustBe(string name, string due) => Refusal.Unless(Text(name) == due, PathOf(name), $"'{Text(name)}' where '{due}' is due");
    public void MustBe(string name, double due) => Refusal.Unless(Number(name) == due, PathOf(name), $"{Number(name):R} where {due:R} is due");

    public void MustBe(string name, int[] due) =>
        Refusal.Unless(Wholes(name).SequenceEqual(due), PathOf(name), $"[{string.Join(", ", due)}] is due");

    /// <summary>A claimed bound that must follow from <paramref name="proven"/> and must not be needlessly above it.</summary>
    public double Claim(string name, double proven)
    {
        double claim = Positive(name);
        Refusal.Unless(claim >= proven, PathOf(name), $"{claim:R} is claimed, but only {proven:R} follows");
        Refusal.Unless(claim <= proven * (1 + 1e-9), PathOf(name), $"{claim:R} is claimed where {proven:R} follows: not made by this rule");
        return claim;
    }

    private static double Number(JsonElement element, string path) =>
        element.ValueKind == JsonValueKind.Number && double.IsFinite(element.GetDouble())
            ? element.GetDouble()
            : throw new Refusal(path, "a finite number is due");

    private static int Whole(JsonElement element, string path) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int value) && value >= 0
            ? value
            : throw new Refusal(path, "a count is due");
}
