using Lipschitz.Checkpoints;

namespace Lipschitz.Cli.Reproduction;

/// <summary>Makes the log of a finished run short enough to be kept with the paper: all tests, and training lines averaged over neighbours.</summary>
internal static class CompactMetrics
{
    /// <summary>At most so many lines, tests included; more only where there are more tests.</summary>
    public const int MostLines = 500;

    /// <summary>The shorter log; the same where it is short already.</summary>
    public static IReadOnlyList<MetricsLine> Of(IReadOnlyList<MetricsLine> lines, int most = MostLines)
    {
        MetricsLine[] training = [.. lines.Where(line => line.Loss is not null)];
        MetricsLine[] tests = [.. lines.Where(line => line.Loss is null)];
        if (lines.Count <= most || training.Length == 0)
        {
            return lines;
        }

        int room = Math.Max(1, most - tests.Length), each = (training.Length + room - 1) / room;
        return [.. training.Chunk(each).Select(Mean).Concat(tests).OrderBy(line => line.Step)]; // stable: training before the test of its step
    }

    // Losses are means since the line before already; the other numbers are those of the last step.
    private static MetricsLine Mean(MetricsLine[] lines) => lines[^1] with
    {
        Loss = lines.Average(line => line.Loss),
        BitsPerDim = lines.Average(line => line.BitsPerDim),
        CrossEntropy = lines.Average(line => line.CrossEntropy),
        Accuracy = lines.Average(line => line.Accuracy),
    };
}
