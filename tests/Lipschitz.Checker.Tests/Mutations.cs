using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lipschitz.Checker.Tests;

/// <summary>Every way a test tampers with a certificate, field by field.</summary>
internal static class Mutations
{
    /// <summary>Each mutated certificate with what was done to it.</summary>
    /// <param name="certificate">The bytes of the true one.</param>
    /// <param name="forged">Whether the certificate's own digest is made right again.</param>
    public static IEnumerable<(string What, byte[] Bytes)> Of(byte[] certificate, bool forged)
    {
        string text = Encoding.UTF8.GetString(certificate);
        foreach (object[] path in Paths(JsonNode.Parse(text)!, []).ToList())
        {
            string name = string.Join(".", path);
            if (forged && name == "sha256")
            {
                continue; // would be made right again
            }

            foreach ((string what, Action<JsonNode, object> change) in Changes(Find(JsonNode.Parse(text)!, path)))
            {
                // Other multipliers may prove the bound as well; only senseless ones need not pass under a digest made right.
                if (forged && path.Contains("multipliers") && path[^1] is int && !what.StartsWith('-') && what is not ("0" or "1E+300" or "dropped" or "1e999"))
                {
                    continue;
                }

                // Another grid may prove the bound as well; only numbers that make no grid need not pass.
                if (forged && path.Contains("grid") && path[^1] is int && int.TryParse(what, out int points) && points >= 0)
                {
                    continue;
                }

                JsonNode root = JsonNode.Parse(text)!;
                change(Find(root, path[..^1]), path[^1]);
                yield return ($"{name}: {what}", Bytes(root, forged));
            }

            if (path[^1] is string)
            {
                yield return ($"{name}: occurs twice", Twice(text, path, forged));
            }
        }
    }

    /// <summary>The bytes of a certificate, its digest made right if asked.</summary>
    public static byte[] Bytes(JsonNode root, bool forged)
    {
        if (forged && root["sha256"] is not null)
        {
            root["sha256"] = new string('0', 64);
            root["sha256"] = CertificateChecker.OwnDigest(Encoding.UTF8.GetBytes(root.ToJsonString()));
        }

        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static IEnumerable<object[]> Paths(JsonNode node, object[] path)
    {
        IEnumerable<(object Key, JsonNode Node)> children = node switch
        {
            JsonObject o => o.Select(p => ((object)p.Key, p.Value!)),
            JsonArray a => a.Select((child, i) => ((object)i, child!)),
            _ => [],
        };
        foreach ((object key, JsonNode child) in children)
        {
            object[] own = [.. path, key];
            yield return own;
            foreach (object[] deeper in Paths(child, own))
            {
                yield return deeper;
            }
        }
    }

    private static JsonNode Find(JsonNode root, object[] path) =>
        path.Aggregate(root, (node, key) => key is string name ? node[name]! : node[(int)key]!);

    private static IEnumerable<(string What, Action<JsonNode, object> Change)> Changes(JsonNode node)
    {
        yield return ("dropped", Drop);
        yield return ("null", (parent, key) => Set(parent, key, null));
        yield return ("another type", (parent, key) => Set(parent, key, new JsonObject { ["a"] = 1 }));
        switch (node)
        {
            case JsonObject:
                yield return ("unknown field", (parent, key) => Find(parent, [key]).AsObject().Add("note", 1));
                break;
            case JsonArray { Count: > 0 }:
                yield return ("last element twice", (parent, key) =>
                {
                    JsonArray array = Find(parent, [key]).AsArray();
                    array.Add(array[^1]!.DeepClone());
                }
                );
                break;
            case JsonArray:
                yield return ("an element more", (parent, key) => Find(parent, [key]).AsArray().Add(1));
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.Number:
                double x = value.GetValue<double>();
                foreach (double other in (double[])[x * (1 - 1e-6), x * (1 + 1e-6), -x, 0, x / 2, 2 * x, 1e300, x - 1])
                {
                    if (other != x)
                    {
                        yield return ($"{other:R}", (parent, key) => Set(parent, key, JsonValue.Create(other)));
                    }
                }

                yield return ("\"NaN\"", (parent, key) => Set(parent, key, "NaN"));
                yield return ("a text", (parent, key) => Set(parent, key, x.ToString("R")));
                yield return ("1e999", (parent, key) => Set(parent, key, JsonNode.Parse("1e999")));
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                string text = value.GetValue<string>();
                yield return ("empty", (parent, key) => Set(parent, key, ""));
                yield return ("last letter", (parent, key) => Set(parent, key, text[..^1] + (text[^1] == '0' ? '1' : '0')));
                yield return ("upper case", (parent, key) => Set(parent, key, text.ToUpperInvariant() == text ? text + "A" : text.ToUpperInvariant()));
                break;
            case JsonValue value:
                bool flag = value.GetValue<bool>();
                yield return ("the opposite", (parent, key) => Set(parent, key, !flag));
                break;
        }
    }

    private static void Set(JsonNode parent, object key, JsonNode? value)
    {
        if (key is string name)
        {
            parent[name] = value;
        }
        else
        {
            parent[(int)key] = value;
        }
    }

    private static void Drop(JsonNode parent, object key)
    {
        if (key is string name)
        {
            parent.AsObject().Remove(name);
        }
        else
        {
            parent.AsArray().RemoveAt((int)key);
        }
    }

    private static byte[] Twice(string text, object[] path, bool forged)
    {
        JsonNode root = JsonNode.Parse(text)!;
        if (forged)
        {
            root["sha256"] = new string('0', 64);
        }

        byte[] bytes = Write(root, path);
        if (forged)
        {
            root["sha256"] = CertificateChecker.OwnDigest(bytes);
            bytes = Write(root, path);
        }

        return bytes;
    }

    private static byte[] Write(JsonNode root, object[] twice)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            Write(json, root, twice);
        }

        return stream.ToArray();
    }

    private static void Write(Utf8JsonWriter json, JsonNode node, object[]? twice)
    {
        switch (node)
        {
            case JsonObject o:
                json.WriteStartObject();
                foreach ((string name, JsonNode? child) in o)
                {
                    object[]? rest = twice is [string first, ..] && first == name ? twice[1..] : null;
                    for (int k = 0; k < (rest is { Length: 0 } ? 2 : 1); k++)
                    {
                        json.WritePropertyName(name);
                        Write(json, child!, rest);
                    }
                }

                json.WriteEndObject();
                break;
            case JsonArray a:
                json.WriteStartArray();
                for (int i = 0; i < a.Count; i++)
                {
                    Write(json, a[i]!, twice is [int index, ..] && index == i ? twice[1..] : null);
                }

                json.WriteEndArray();
                break;
            default:
                node.WriteTo(json);
                break;
        }
    }
}
