using System.Text;
using System.Text.Json;

namespace Lipschitz.Checkpoints;

/// <summary>One line of <c>metrics.jsonl</c>: either a training step or a test.</summary>
public sealed record MetricsLine
{
    /// <summary>Steps done.</summary>
    public required long Step { get; init; }

    /// <summary>Mean of what training minimises since the last line, or since training was continued: nats, or bits a picture where classes are learned.</summary>
    public double? Loss { get; init; }

    /// <summary>Mean training bits per dimension since the last line, from unbiased values; pictures only.</summary>
    public double? BitsPerDim { get; init; }

    /// <summary>Mean training cross entropy since the last line, in nats.</summary>
    public double? CrossEntropy { get; init; }

    /// <summary>Mean training accuracy since the last line.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Gradient norm of the last step before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>Step size of the last step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The largest Lipschitz estimate of a block's branch.</summary>
    public double? LargestLipschitzEstimate { get; init; }

    /// <summary>Test negative log-likelihood in nats.</summary>
    public double? TestNll { get; init; }

    /// <summary>Its standard error over points.</summary>
    public double? TestStandardError { get; init; }

    /// <summary>What training minimises, on the test set, where that is not <see cref="TestNll"/>.</summary>
    public double? TestLoss { get; init; }

    /// <summary>Test bits per dimension; pictures only.</summary>
    public double? TestBitsPerDim { get; init; }

    /// <summary>Their standard error over pictures.</summary>
    public double? TestBitsStandardError { get; init; }

    /// <summary>Test cross entropy in nats.</summary>
    public double? TestCrossEntropy { get; init; }

    /// <summary>Test accuracy.</summary>
    public double? TestAccuracy { get; init; }

    /// <summary>Its standard error.</summary>
    public double? TestAccuracyError { get; init; }

    /// <summary>Seconds of training so far, over all its parts.</summary>
    public double? Seconds { get; init; }
}

/// <summary>A text file of one JSON object a line, appended to while training.</summary>
/// <param name="path">The file.</param>
public sealed class MetricsLog(string path)
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Adds a line, on the disk when this returns: the best test so far is known from here, and must not be older than a checkpoint.</summary>
    public void Append(MetricsLine line)
    {
        using var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        stream.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, s_options) + "\n"));
        stream.Flush(flushToDisk: true);
    }

    /// <summary>All complete lines; a last line cut off by a crash is left out.</summary>
    public IReadOnlyList<MetricsLine> Read()
    {
        var lines = new List<MetricsLine>();
        if (!File.Exists(path))
        {
            return lines;
        }

        foreach (string text in File.ReadLines(path))
        {
            try
            {
                if (JsonSerializer.Deserialize<MetricsLine>(text, s_options) is { } line)
                {
                    lines.Add(line);
                }
            }
            catch (JsonException)
            {
                // Metrics are a by-product: a torn line is not worth losing the others for.
            }
        }

        return lines;
    }

    /// <summary>Drops the lines of steps after <paramref name="step"/>, which a resumed run will write again.</summary>
    public void TruncateAfter(long step) => Replace([.. Read().Where(line => line.Step <= step)]);

    /// <summary>Writes these lines in place of all there are.</summary>
    public void Replace(IReadOnlyList<MetricsLine> lines)
    {
        string text = string.Concat(lines.Select(line => JsonSerializer.Serialize(line, s_options) + "\n"));
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
    }
}
