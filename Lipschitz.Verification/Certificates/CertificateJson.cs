using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lipschitz.Checkpoints;
using Lipschitz.Models;

namespace Lipschitz.Verification.Certificates;

/// <summary>Certificates as JSON: the format <c>lipschitz-certificate-1</c>, described in docs/verification.md.</summary>
/// <remarks>
/// Numbers are written with the digits that read back to the same double. The text <c>sha256</c> at the top is the digest of the file's
/// bytes with its own 64 digits replaced by 0.
/// </remarks>
public static class CertificateJson
{
    /// <summary>The version of the format.</summary>
    public const string Format = "lipschitz-certificate-1";

    /// <summary>What every certificate states.</summary>
    public const string Statement =
        "Each residual branch g of the real function that the float32 parameters of the model define satisfies "
        + "|g(x) - g(y)| <= lipschitz |x - y| in the 2-norm for all real x and y, with lipschitz < 1; so each block x + g(x) is invertible.";

    /// <summary>Where the constant of the logit transform holds; that of its inverse holds everywhere.</summary>
    public const string LogitDomain = "[0, 1]";

    private static readonly JsonWriterOptions s_readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions s_asInConfiguration = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Replaces the file at <paramref name="path"/> as a whole by the certificate.</summary>
    /// <exception cref="InvalidOperationException">Some branch is not below 1: there is nothing to certify.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, FlowCertificate certificate)
    {
        byte[] bytes = ToBytes(certificate);
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    /// <summary>The bytes of the file.</summary>
    /// <exception cref="InvalidOperationException">Some branch is not below 1: there is nothing to certify.</exception>
    public static byte[] ToBytes(FlowCertificate certificate)
    {
        if (!certificate.IsContractive)
        {
            throw new InvalidOperationException("A flow with a branch whose bound is not below 1 has no certificate.");
        }

        var buffer = new ArrayBufferWriter<byte>();
        int digest;
        using (var json = new Utf8JsonWriter(buffer, s_readable))
        {
            json.WriteStartObject();
            json.WriteString("format", Format);
            json.WriteString("sha256", new string('0', 2 * SHA256.HashSizeInBytes));
            json.Flush();
            digest = buffer.WrittenCount - (2 * SHA256.HashSizeInBytes) - 1;
            WriteStatement(json, certificate);
            WriteArchitecture(json, certificate.Model);
            json.WriteStartObject("flow");
            json.WriteNumber("lipschitz", certificate.Lipschitz);
            json.WriteNumber("inverse", certificate.Inverse);
            json.WriteEndObject();
            json.WriteStartArray("parts");
            foreach (PartCertificate part in certificate.Parts)
            {
                WritePart(json, part);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        byte[] bytes = [.. buffer.WrittenSpan, (byte)'\n'];
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.AsSpan(digest));
        return bytes;
    }

    private static void WriteStatement(Utf8JsonWriter json, FlowCertificate certificate)
    {
        json.WriteStartObject("statement");
        json.WriteString("text", Statement);
        json.WriteNumber("norm", 2);
        json.WriteNumber("width", certificate.Width);
        json.WriteString("arithmetic", "real");
        json.WriteEndObject();
        json.WriteStartObject("model");
        json.WriteString("file", "model.safetensors");
        json.WriteString("sha256", certificate.ModelSha256);
        json.WriteEndObject();
    }

    private static void WriteArchitecture(Utf8JsonWriter json, ModelSettings model)
    {
        json.WriteStartObject("architecture");
        json.WriteString("branch", model.Branch.ToString());
        json.WriteNumber("blocks", model.Blocks);
        json.WriteNumber("depth", model.Depth);
        json.WriteNumber("growth", model.Growth);
        json.WriteStartArray("hidden");
        foreach (int width in model.Hidden)
        {
            json.WriteNumberValue(width);
        }

        json.WriteEndArray();
        json.WriteString("activation", model.Activation.ToString());
        json.WriteBoolean("actNorm", model.ActNorm);
        if (model.Image is not null)
        {
            json.WritePropertyName("image");
            JsonSerializer.Serialize(json, model.Image, s_asInConfiguration);
        }

        json.WriteEndObject();
    }

    private static void WritePart(Utf8JsonWriter json, PartCertificate part)
    {
        json.WriteStartObject();
        json.WriteString("name", part.Name);
        json.WriteString("rule", part switch
        {
            BlockCertificate => "residual",
            ScaleCertificate => "scale",
            LogitCertificate => "logit",
            PermutationCertificate { FactorsOut: true } => "factor-out",
            _ => "permutation",
        });
        if (part is LogitCertificate { Alpha: var alpha })
        {
            json.WriteNumber("alpha", alpha);
            json.WriteString("domain", LogitDomain);
        }

        json.WriteNumber("lipschitz", part.Lipschitz);
        json.WriteNumber("inverse", part.Inverse);
        if (part is BlockCertificate block)
        {
            WriteBranch(json, block.Branch);
        }

        json.WriteEndObject();
    }

    private static void WriteBranch(Utf8JsonWriter json, BranchCertificate branch)
    {
        json.WriteStartObject("branch");
        json.WriteString("rule", branch switch
        {
            DenseNetCertificate => "dense-net",
            ProductCertificate => "product",
            _ => "multipliers",
        });
        json.WriteNumber("lipschitz", branch.Lipschitz);
        WriteActivation(json, branch);
        if (branch is DenseNetCertificate { First: { } first })
        {
            json.WritePropertyName("first");
            WriteWeight(json, first, withBound: true);
        }

        json.WriteStartArray("layers");
        if (branch is DenseNetCertificate { Layers: var layers })
        {
            foreach (ConcatenationClaim layer in layers)
            {
                json.WriteStartObject();
                json.WriteString("rule", "concatenation");
                json.WriteNumber("e1", layer.E1);
                json.WriteNumber("e2", layer.E2);
                json.WritePropertyName("weight");
                WriteWeight(json, layer.Weight, withBound: true);
                json.WriteEndObject();
            }
        }
        else
        {
            foreach (WeightClaim layer in branch.Weights)
            {
                WriteWeight(json, layer, branch is not MultiplierCertificate);
            }
        }

        json.WriteEndArray();
        if (branch is DenseNetCertificate { Final: var final })
        {
            json.WritePropertyName("final");
            WriteWeight(json, final, withBound: true);
        }

        if (branch is MultiplierCertificate { Multipliers: var multipliers })
        {
            json.WriteStartArray("multipliers");
            foreach (double multiplier in multipliers)
            {
                json.WriteNumberValue(multiplier);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteActivation(Utf8JsonWriter json, BranchCertificate branch)
    {
        json.WriteStartObject("activation");
        json.WriteString("rule", branch is MultiplierCertificate ? "slopes" : "table");
        json.WriteString("name", branch.Activation);
        if (branch is MultiplierCertificate { Least: var least, Largest: var largest })
        {
            json.WriteNumber("least", least);
            json.WriteNumber("largest", largest);
        }
        else
        {
            json.WriteNumber("lipschitz", branch.Phi);
        }

        json.WriteEndObject();
    }

    private static void WriteWeight(Utf8JsonWriter json, WeightClaim weight, bool withBound)
    {
        json.WriteStartObject();
        json.WriteString("rule", !withBound ? "weight" : weight.Grid is null ? "dense-chol" : "conv-grid");
        json.WriteString("name", weight.Name);
        json.WriteStartArray("shape");
        json.WriteNumberValue(weight.Rows);
        json.WriteNumberValue(weight.Columns);
        json.WriteEndArray();
        json.WriteString("sha256", weight.Sha256);
        if (weight.Grid is { } grid)
        {
            json.WriteStartArray("grid");
            json.WriteNumberValue(grid.Rows);
            json.WriteNumberValue(grid.Columns);
            json.WriteNumberValue(grid.RowTwist);
            json.WriteNumberValue(grid.ColumnTwist);
            json.WriteEndArray();
        }

        if (withBound)
        {
            json.WriteNumber("bound", weight.Bound);
        }

        json.WriteEndObject();
    }
}
