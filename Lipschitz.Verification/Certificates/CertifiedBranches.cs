using System.Security.Cryptography;
using System.Text.Json;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;

namespace Lipschitz.Verification.Certificates;

/// <summary>Inverts blocks by what a certificate proves of them, where the product of their layers' bounds does not suffice.</summary>
public static class CertifiedBranches
{
    /// <summary>
    /// Tells the blocks of a flow the bounds of its certificate (<see cref="ResidualBlock.UseProven"/>), if some need it and there is a certificate of this very file.
    /// </summary>
    /// <param name="certificate">The path of a certificate.json; it need not exist.</param>
    /// <param name="model">The path of the model.safetensors that the flow was read from.</param>
    /// <param name="flow">The flow, as it was read.</param>
    /// <exception cref="CheckpointFormatException">The certificate is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static void Apply(string certificate, string model, Flow flow)
    {
        ResidualBlock[] blocks = [.. flow.Blocks];
        var suffices = new bool[blocks.Length];
        flow.Backend.Parallel(blocks.Length, i => suffices[i] = blocks[i].BranchBound < 1); // which blocks keep for the inverse
        if (suffices.All(enough => enough) || !File.Exists(certificate))
        {
            return;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(certificate));
            using FileStream bytes = File.OpenRead(model);
            if (document.RootElement.GetProperty("model").GetProperty("sha256").GetString() != Convert.ToHexStringLower(SHA256.HashData(bytes)))
            {
                return;
            }

            Dictionary<string, double> proven = document.RootElement.GetProperty("parts").EnumerateArray()
                .Where(part => part.TryGetProperty("branch", out _))
                .ToDictionary(part => part.GetProperty("name").GetString()!, part => part.GetProperty("branch").GetProperty("lipschitz").GetDouble());
            foreach (ResidualBlock block in blocks)
            {
                block.UseProven(proven[block.Name]);
            }
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new CheckpointFormatException(certificate, "it is no certificate, or a damaged one; 'lipschitz verify' writes it again.");
        }
    }
}
