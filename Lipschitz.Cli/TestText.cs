using Lipschitz.Training;
using Spectre.Console;

namespace Lipschitz.Cli;

/// <summary>The lines that say how well a flow fits.</summary>
internal static class TestText
{
    /// <summary>The number, or null where nothing was measured.</summary>
    public static double? Finite(double value) => double.IsNaN(value) ? null : value;

    /// <summary>Writes them.</summary>
    public static void Write(IAnsiConsole console, TestReport test, double? entropy)
    {
        TextWriter text = console.Profile.Out.Writer;
        double mean = test.NegativeLogLikelihood;
        if (!double.IsNaN(mean))
        {
            string kind = test.Kind.ToString().ToLowerInvariant(), what = test.Bits is null ? "points" : "pictures";
            if (test.Bits is { } bits)
            {
                text.WriteLine($"test        {bits.Value:0.0000} ± {bits.StandardError:0.0000} bits per dimension");
            }

            text.WriteLine($"test NLL    {mean:0.0000} ± {test.StandardError:0.0000} nats ({test.Points} {what}, log-determinant: {kind})");
            if (test.RepeatError is { } noise)
            {
                text.WriteLine($"repeats     leave ± {noise:0.0000} nats of estimator noise in the mean");
            }
        }

        if (test.Classes is { } classes)
        {
            text.WriteLine(
                $"accuracy    {100 * classes.Accuracy:0.00} ± {100 * classes.AccuracyError:0.00} %"
                + $" (cross entropy {classes.CrossEntropy:0.0000} ± {classes.CrossEntropyError:0.0000} nats, {test.Points} pictures)");
        }

        if (entropy is { } floor)
        {
            text.WriteLine($"entropy     {floor:0.0000} nats: nothing can be lower");
            text.WriteLine($"difference  {mean - floor:0.0000} nats");
        }
    }
}
