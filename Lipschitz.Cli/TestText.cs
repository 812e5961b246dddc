using Lipschitz.Training;
using Spectre.Console;

namespace Lipschitz.Cli;

/// <summary>The lines that say how well a flow fits.</summary>
internal static class TestText
{
    /// <summary>Writes them.</summary>
    public static void Write(IAnsiConsole console, TestReport test, double? entropy)
    {
        TextWriter text = console.Profile.Out.Writer;
        string kind = test.Kind.ToString().ToLowerInvariant();
        double mean = test.NegativeLogLikelihood;
        text.WriteLine($"test NLL    {mean:0.0000} ± {test.StandardError:0.0000} nats ({test.Points} points, log-determinant: {kind})");
        if (entropy is { } floor)
        {
            text.WriteLine($"entropy     {floor:0.0000} nats: nothing can be lower");
            text.WriteLine($"difference  {mean - floor:0.0000} nats");
        }
    }
}
