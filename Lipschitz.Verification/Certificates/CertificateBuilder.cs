using Lipschitz.Checkpoints;
using Lipschitz.Models;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Certificates;

/// <summary>Where to look for a bound of the whole branch that is below the product of its layers; the product is always proven.</summary>
public enum Tightness
{
    /// <summary>Nowhere.</summary>
    Product,

    /// <summary>In branches of at most <see cref="CertificateBuilder.SmallBranch"/> neurons: a few milliseconds each.</summary>
    Small,

    /// <summary>In every branch of at most 1,200 numbers: seconds to minutes each.</summary>
    All,
}

/// <summary>Proves bounds for every part of a saved flow.</summary>
public static class CertificateBuilder
{
    /// <summary>The neurons of a branch up to which <see cref="Tightness.Small"/> looks for multipliers.</summary>
    public const int SmallBranch = 80;

    // Another implementation of the same formulas, rounded upwards, may end a little higher.
    private const double Headroom = 1 + 1e-12;

    /// <summary>
    /// Bounds of every part; some branch may turn out not to be below 1, see <see cref="FlowCertificate.IsContractive"/>.
    /// </summary>
    /// <param name="model">The path of a model.safetensors file.</param>
    /// <param name="configuration">The configuration of its run.</param>
    /// <param name="tightness">Where to look for a bound below the product of the layers.</param>
    /// <exception cref="CheckpointFormatException">The file is missing, damaged, or belongs to another configuration.</exception>
    /// <exception cref="NotSupportedException">The architecture has a layer that no rule covers.</exception>
    public static FlowCertificate Build(string model, Configuration configuration, Tightness tightness = Tightness.Small) =>
        Build(new SavedModel(SavedModel.ReadBytes(model), model, configuration.Model), tightness);

    /// <summary>Bounds of every part of a flow in memory.</summary>
    internal static FlowCertificate Build(SavedModel saved, Tightness tightness)
    {
        var blocks = new BlockCertificate[saved.Settings.Blocks];
        Parallel.For(0, blocks.Length, b => blocks[b] = Block(saved, b, tightness));
        var parts = new List<PartCertificate>();
        for (int b = 0; b <= blocks.Length; b++)
        {
            if (saved.Settings.ActNorm)
            {
                parts.Add(Scale(saved, $"norms.{b}"));
            }

            if (b < blocks.Length)
            {
                parts.Add(blocks[b]);
            }
        }

        double lipschitz = 1, inverse = 1;
        foreach (PartCertificate part in parts)
        {
            lipschitz = Outward.MultiplyUp(lipschitz, part.Lipschitz);
            inverse = Outward.MultiplyUp(inverse, part.Inverse);
        }

        return new FlowCertificate(saved.Sha256, saved.Width, saved.Settings, parts, lipschitz * Headroom, inverse * Headroom);
    }

    private static ScaleCertificate Scale(SavedModel saved, string name)
    {
        double[] logScale = saved.Matrix($"{name}.logScale").Values;
        double lipschitz = IntervalFunctions.Exp(logScale.Max()).Upper, inverse = IntervalFunctions.Exp(-logScale.Min()).Upper;
        return new ScaleCertificate(name, lipschitz * Headroom, inverse * Headroom);
    }

    private static BlockCertificate Block(SavedModel saved, int block, Tightness tightness)
    {
        BranchCertificate product = saved.Settings.Branch == BranchKind.DenseNet ? DenseNet(saved, block, saved.Factors(block)) : Product(saved, block);
        BranchCertificate? tight = MultiplierClaim.TryMake(saved, block, product, tightness);
        BranchCertificate branch = tight?.Lipschitz < product.Lipschitz ? tight : product;
        double l = branch.Lipschitz;
        double inverse = l < 1 ? Outward.DivideUp(1, Outward.SubtractDown(1, l)) : double.PositiveInfinity;
        return new BlockCertificate($"blocks.{block}", Outward.AddUp(1, l) * Headroom, inverse * Headroom, branch, product.Lipschitz);
    }

    private static DenseNetCertificate DenseNet(SavedModel saved, int block, (double E1, double E2)[] factors)
    {
        double phi = ActivationTable.Constant(saved.Settings.Activation);
        string[] names = saved.LayerNames(block);
        double[][] divisors = saved.Divisors(block, factors);
        var layers = new ConcatenationClaim[factors.Length];
        double product = 1;
        for (int i = 0; i < layers.Length; i++)
        {
            (double e1, double e2) = factors[i];
            layers[i] = new ConcatenationClaim(e1, e2, Weight(saved, names[i], divisors[i], i));
            double right = Outward.MultiplyUp(e2, Outward.MultiplyUp(phi, layers[i].Weight.Bound));
            double square = Outward.AddUp(Outward.MultiplyUp(e1, e1), Outward.MultiplyUp(right, right));
            product = Outward.MultiplyUp(product, Outward.SqrtUp(square));
        }

        WeightClaim final = Weight(saved, names[^1], divisors[^1], layers.Length);
        product = Outward.MultiplyUp(product, final.Bound);
        return new DenseNetCertificate(product * Headroom, saved.Settings.Activation.ToString(), phi, layers, final);
    }

    private static ProductCertificate Product(SavedModel saved, int block)
    {
        double phi = ActivationTable.Constant(saved.Settings.Activation);
        WeightClaim[] layers = [.. saved.LayerNames(block).Select(name => Weight(saved, name, [], 0))];
        double product = 1;
        foreach (WeightClaim layer in layers)
        {
            product = Outward.MultiplyUp(product, Outward.MultiplyUp(phi, layer.Bound));
        }

        return new ProductCertificate(product * Headroom, saved.Settings.Activation.ToString(), phi, layers);
    }

    private static WeightClaim Weight(SavedModel saved, string layer, double[] divisors, int factors)
    {
        (double[] values, int rows, int columns, string sha256) = saved.Matrix($"{layer}.effective");
        if (divisors.Length == 0)
        {
            divisors = new double[columns];
            Array.Fill(divisors, 1);
        }

        return new WeightClaim(
            $"{layer}.effective", rows, columns, sha256, WeightProof.Bound(values, rows, columns, divisors, factors));
    }
}
