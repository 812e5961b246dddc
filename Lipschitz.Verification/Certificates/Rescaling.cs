using Lipschitz.Checkpoints;
using Lipschitz.Models;

namespace Lipschitz.Verification.Certificates;

/// <summary>An effective weight that was scaled down.</summary>
/// <param name="Name">The tensor.</param>
/// <param name="Factor">By how much, below 1.</param>
public sealed record ScaledWeight(string Name, double Factor);

/// <summary>Scales the weights of a saved flow down where its blocks are not proven to be contractions.</summary>
public static class Rescaling
{
    // Scaled weights are rounded to float32, which may move their norm by 1e-7.
    private const double Margin = 1 - 1e-6;
    private const double LargestBranch = 0.999;
    private const int MostRounds = 8;

    /// <summary>
    /// Rewrites the model so that every branch is proven to be a contraction; blocks that are stay as they are, bit for bit.
    /// </summary>
    /// <remarks>
    /// In a block that is not, each weight whose norm is above the coefficient of the configuration is scaled down to it; if that is
    /// not enough, the last weight is scaled until the block's bound is 0.999. The file is replaced as a whole, and only if something
    /// changes.
    /// </remarks>
    /// <param name="model">The path of a model.safetensors file.</param>
    /// <param name="configuration">The configuration of its run.</param>
    /// <param name="threads">Threads at most; null for all processors. No number depends on it.</param>
    /// <returns>The weights that were scaled, and the certificate of the flow as it is now.</returns>
    /// <exception cref="CheckpointFormatException">The file is missing, damaged, or belongs to another configuration.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static (IReadOnlyList<ScaledWeight> Scaled, FlowCertificate Certificate) Apply(
        string model, Configuration configuration, int? threads = null)
    {
        byte[] bytes = SavedModel.ReadBytes(model);
        var scaled = new Dictionary<string, double>();
        var known = new Dictionary<string, BlockCertificate>();
        for (int round = 0; ; round++)
        {
            var saved = new SavedModel(bytes, model, configuration.Model);
            FlowCertificate certificate = CertificateBuilder.Build(saved, Tightness.Small, threads, known);
            if (certificate.IsContractive || round == MostRounds)
            {
                if (scaled.Count > 0)
                {
                    AtomicFile.Write(model, stream => stream.Write(bytes));
                }

                return ([.. scaled.Select(s => new ScaledWeight(s.Key, s.Value))], certificate);
            }

            known = certificate.Blocks.Where(block => block.Branch.Lipschitz < 1).ToDictionary(block => block.Name);
            var factors = new Dictionary<string, double>();
            foreach (BlockCertificate block in certificate.Blocks.Where(block => !(block.Branch.Lipschitz < 1)))
            {
                foreach ((string name, double factor) in Factors(block.Branch, configuration.Model.Coefficient))
                {
                    factors[name] = factor;
                    scaled[name] = scaled.GetValueOrDefault(name, 1) * factor;
                }
            }

            bytes = Scaled(saved.Contents, factors);
        }
    }

    private static IEnumerable<(string Name, double Factor)> Factors(BranchCertificate branch, double coefficient)
    {
        bool any = false;
        foreach (WeightClaim weight in branch.Weights)
        {
            double factor = coefficient / weight.Bound * Margin;
            if (weight.Bound * Margin > coefficient)
            {
                any = true;
                yield return (weight.Name, factor);
            }
        }

        if (!any)
        {
            yield return (branch.Weights.Last().Name, LargestBranch / branch.Lipschitz);
        }
    }

    private static byte[] Scaled(SafeTensorFile file, Dictionary<string, double> factors)
    {
        SafeTensor[] tensors =
        [
            .. file.Tensors.Select(tensor => factors.TryGetValue(tensor.Name, out double factor)
                ? SafeTensor.FromFloats(tensor.Name, Array.ConvertAll(tensor.ToFloats(), w => (float)(w * factor)), tensor.Shape)
                : tensor),
        ];
        using var stream = new MemoryStream();
        SafeTensors.Write(stream, tensors, file.Metadata);
        return stream.ToArray();
    }
}
