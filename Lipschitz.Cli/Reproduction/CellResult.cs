using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lipschitz.Checkpoints;
using Lipschitz.LogDet;

namespace Lipschitz.Cli.Reproduction;

/// <summary>What a finished run is worth: the content of result.json, which marks the run as finished.</summary>
internal sealed record CellResult
{
    /// <summary>The file in the folder of a run.</summary>
    public const string FileName = "result.json";

    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(allowIntegerValues: false) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    /// <summary>The data set.</summary>
    public required string Data { get; init; }

    /// <summary>The name of the model in the experiments.</summary>
    public required string Model { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Optimiser steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Trained numbers.</summary>
    public required long Parameters { get; init; }

    /// <summary>Nats, or bits per dimension.</summary>
    public required string Unit { get; init; }

    /// <summary>Mean test negative log-likelihood of the last iterate.</summary>
    public required double Test { get; init; }

    /// <summary>Its standard error over the points.</summary>
    public required double StandardError { get; init; }

    /// <summary>Points of the test.</summary>
    public required int Points { get; init; }

    /// <summary>Whether each log-density in it is exact, unbiased or biased.</summary>
    public required LogDetKind LogDet { get; init; }

    /// <summary>The entropy of the data in nats, where known.</summary>
    public double? Entropy { get; init; }

    /// <summary>Seconds of training, tests on the way included, over all its parts.</summary>
    public required double Seconds { get; init; }

    /// <summary>Whether the run's last steps were made by the process that wrote this, so that the hardware below is that of the training.</summary>
    public required bool TrainedHere { get; init; }

    /// <summary>The back end.</summary>
    public required string Backend { get; init; }

    /// <summary>Its threads.</summary>
    public required int Threads { get; init; }

    /// <summary>The processor's own name.</summary>
    public required string Processor { get; init; }

    /// <summary>Whether every block is proven to be a contraction.</summary>
    public required bool Certified { get; init; }

    /// <summary>The largest proven bound of a block's branch.</summary>
    public required double LargestBlockBound { get; init; }

    /// <summary>Weights that had to be scaled down for the proof; the test is of the model after that.</summary>
    public required int ScaledWeights { get; init; }

    /// <summary>What the scaling did to the test, in nats.</summary>
    public required double ScalingChange { get; init; }

    /// <summary>Test points sent to the latent space and back.</summary>
    public required int RoundTripPoints { get; init; }

    /// <summary>The largest |x - x'|_2 of them; null where the flow is not known to be invertible.</summary>
    public double? RoundTripError { get; init; }

    /// <summary>
    /// The largest bound of the error of a single block's inverse for one of them, from its last step and with an allowance for rounding.
    /// </summary>
    public double? RoundTripBlockBound { get; init; }

    /// <summary>The day on which this was written, in UTC.</summary>
    public required string Date { get; init; }

    /// <summary>The version of the library.</summary>
    public required string Version { get; init; }

    /// <summary>Whether a folder has a result.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>Reads the result in a folder.</summary>
    /// <exception cref="CheckpointFormatException">It is damaged.</exception>
    public static CellResult Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            string text = InputException.Guard(path, () => File.ReadAllText(path));
            return JsonSerializer.Deserialize<CellResult>(text, s_options) ?? throw new CheckpointFormatException(path, "is empty");
        }
        catch (JsonException damage)
        {
            throw new CheckpointFormatException(path, $"is damaged in line {damage.LineNumber + 1}; delete it to have the run measured again");
        }
    }

    /// <summary>Writes it into a folder, as a whole or not at all.</summary>
    public void Write(string folder)
    {
        string path = Path.Combine(folder, FileName);
        byte[] text = [.. JsonSerializer.SerializeToUtf8Bytes(this, s_options), (byte)'\n'];
        OutputException.Guard(path, () => AtomicFile.Write(path, stream => stream.Write(text)));
    }
}
