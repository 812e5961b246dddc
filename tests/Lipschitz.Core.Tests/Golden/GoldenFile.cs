using System.Text.Json.Nodes;

namespace Lipschitz.Core.Tests.Golden;

/// <summary>A file made by tests/golden/make_golden.py.</summary>
internal static class GoldenFile
{
    public static JsonNode Load(string name) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "golden", name + ".json")))!;

    /// <summary>All numbers of a node in document order: a scalar, a vector, or rows.</summary>
    public static double[] Numbers(this JsonNode? node) => node switch
    {
        JsonArray array => [.. array.SelectMany(item => item.Numbers())],
        JsonValue value => [value.GetValue<double>()],
        _ => throw new InvalidDataException("golden file: numbers expected"),
    };

    public static double Number(this JsonNode? node) => node!.GetValue<double>();

    public static void AssertClose(double[] expected, double[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = Math.Max(expected.Max(Math.Abs), 1e-12);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= tolerance * scale,
                $"{what}[{i}]: expected {expected[i]:R}, got {actual[i]:R}, allowed {tolerance:G3} of {scale:G3}");
        }
    }
}
