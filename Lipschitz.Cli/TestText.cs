using Lipschitz.LogDet;
using Spectre.Console;

namespace Lipschitz.Cli;

/// <summary>The lines that say how well a flow fits.</summary>
internal static class TestText
{
    /// <summary>Writes them.</summary>
    public static void Write(IAnsiConsole console, double mean, double standardError, int points, LogDetKind kind, double? entropy)
    {
        TextWriter text = console.Profile.Out.Writer;
        string kindText = kind.ToString().ToLowerInvariant();
        text.WriteLine($"test NLL    {mean:0.0000} ± {standardError:0.0000} nats ({points} points, log-determinant: {kindText})");
        if (entropy is { } floor)
        {
            text.WriteLine($"entropy     {floor:0.0000} nats: nothing can be lower");
            text.WriteLine($"difference  {mean - floor:0.0000} nats");
        }
    }
}
