using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Convolutions;
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
    /// <param name="threads">Threads at most; null for all processors. No number depends on it.</param>
    /// <exception cref="CheckpointFormatException">The file is missing, damaged, not finite, or belongs to another configuration.</exception>
    /// <exception cref="NotSupportedException">The architecture has a layer that no rule covers.</exception>
    public static FlowCertificate Build(string model, Configuration configuration, Tightness tightness = Tightness.Small, int? threads = null) =>
        Build(new SavedModel(SavedModel.ReadBytes(model), model, configuration.Model), tightness, threads);

    /// <summary>Bounds of every part of a flow in memory.</summary>
    /// <param name="saved">The flow.</param>
    /// <param name="tightness">Where to look for a bound below the product of the layers.</param>
    /// <param name="threads">Threads at most; null for all processors.</param>
    /// <param name="known">Certificates of blocks whose weights have not changed since.</param>
    internal static FlowCertificate Build(
        SavedModel saved, Tightness tightness, int? threads, IReadOnlyDictionary<string, BlockCertificate>? known = null)
    {
        IReadOnlyList<PartLayout> layout = saved.Layout;
        foreach (PartLayout part in layout)
        {
            RequireRest(saved, part);
        }

        var parts = new PartCertificate[layout.Count];
        BoundedLoop.Run(parts.Length, threads, i => parts[i] = known?.GetValueOrDefault(layout[i].Name) ?? Part(saved, layout[i], tightness));

        // From the end: what acts on a part of the features only is F beside the identity, as a whole.
        BiLipschitz flow = BiLipschitz.Isometry;
        foreach (PartCertificate part in parts.Reverse())
        {
            flow = new BiLipschitz(part.Lipschitz, part.Inverse).Then(part is PermutationCertificate { FactorsOut: true } ? flow.BesideIdentity() : flow);
        }

        return new FlowCertificate(saved.Sha256, saved.Width, saved.Settings, parts, flow.Forward * Headroom, flow.Inverse * Headroom);
    }

    // No bound depends on shifts, biases and the scalars of activations, but where they are no numbers there is no function.
    private static void RequireRest(SavedModel saved, PartLayout part)
    {
        if (part is ScaleLayout scale)
        {
            saved.Matrix($"{scale.Name}.shift", 1, scale.Columns);
        }

        if (part is not BlockLayout { Branch: var branch })
        {
            return;
        }

        LayerLayout?[] layers = [branch.First, .. branch.Layers, branch.Final];
        foreach (LayerLayout layer in layers.OfType<LayerLayout>())
        {
            saved.Matrix($"{layer.Name}.bias", 1, layer.Outputs);
            if (layer.Activated && saved.Settings.Activation.ParameterCount() is > 0 and int scalars)
            {
                saved.Matrix($"{layer.Name}.beta", 1, scalars);
            }
        }
    }

    private static PartCertificate Part(SavedModel saved, PartLayout part, Tightness tightness)
    {
        switch (part)
        {
            case LogitLayout logit:
                BiLipschitz constants = BiLipschitz.Logit(logit.Alpha);
                return new LogitCertificate(logit.Name, logit.Alpha, constants.Forward * Headroom, constants.Inverse * Headroom);
            case ScaleLayout scale:
                BiLipschitz scales = BiLipschitz.ActNorm(saved.Matrix($"{scale.Name}.logScale", 1, scale.Columns).Values);
                return new ScaleCertificate(scale.Name, scales.Forward * Headroom, scales.Inverse * Headroom);
            case PermutationLayout permutation:
                return new PermutationCertificate(permutation.Name, permutation.FactorsOut);
            default:
                return Block(saved, ((BlockLayout)part).Branch, tightness);
        }
    }

    private static BlockCertificate Block(SavedModel saved, BranchLayout layout, Tightness tightness)
    {
        BranchCertificate product = layout.IsDenseNet ? DenseNet(saved, layout) : Product(saved, layout);
        BranchCertificate? tight = MultiplierClaim.TryMake(saved, product, tightness);
        BranchCertificate branch = tight?.Lipschitz < product.Lipschitz ? tight : product;
        BiLipschitz constants = BiLipschitz.Residual(branch.Lipschitz);
        return new BlockCertificate(layout.Block, constants.Forward * Headroom, constants.Inverse * Headroom, branch, product.Lipschitz);
    }

    private static DenseNetCertificate DenseNet(SavedModel saved, BranchLayout branch)
    {
        double phi = ActivationTable.Constant(saved.Settings.Activation);
        (double E1, double E2)[] factors = saved.Factors(branch);
        double[][] divisors = SavedModel.Divisors(branch, factors);
        WeightClaim? first = branch.First is null ? null : Weight(saved, branch.First, null, [], 0);
        var layers = new ConcatenationClaim[factors.Length];
        double product = first?.Bound ?? 1;
        for (int i = 0; i < layers.Length; i++)
        {
            (double e1, double e2) = factors[i];
            layers[i] = new ConcatenationClaim(e1, e2, Weight(saved, branch.Layers[i], branch.Picture, divisors[i], i));
            double right = Outward.MultiplyUp(e2, Outward.MultiplyUp(phi, layers[i].Weight.Bound));
            double square = Outward.AddUp(Outward.MultiplyUp(e1, e1), Outward.MultiplyUp(right, right));
            product = Outward.MultiplyUp(product, Outward.SqrtUp(square));
        }

        WeightClaim final = Weight(saved, branch.Final!, branch.Picture, divisors[^1], layers.Length);
        product = Outward.MultiplyUp(product, final.Bound);
        return new DenseNetCertificate(product * Headroom, saved.Settings.Activation.ToString(), phi, first, layers, final);
    }

    private static ProductCertificate Product(SavedModel saved, BranchLayout branch)
    {
        double phi = ActivationTable.Constant(saved.Settings.Activation), product = 1;
        var layers = new WeightClaim[branch.Layers.Count];
        for (int i = 0; i < layers.Length; i++)
        {
            layers[i] = Weight(saved, branch.Layers[i], branch.Picture, [], 0);
            product = Outward.MultiplyUp(product, Outward.MultiplyUp(branch.Layers[i].Activated ? phi : 1, layers[i].Bound));
        }

        return new ProductCertificate(product * Headroom, saved.Settings.Activation.ToString(), phi, layers);
    }

    private static WeightClaim Weight(SavedModel saved, LayerLayout layer, ImageShape? picture, double[] divisors, int factors)
    {
        string name = $"{layer.Name}.effective";
        int rows = layer.Outputs * layer.Kernel * layer.Kernel, columns = layer.Columns;
        (double[] values, string sha256) = saved.Matrix(name, rows, columns);
        if (divisors.Length == 0)
        {
            divisors = new double[columns];
            Array.Fill(divisors, 1);
        }

        (double bound, FrequencyGrid? grid) = WeightProof.Bound(values, layer, picture, divisors, factors);
        return new WeightClaim(name, rows, columns, sha256, bound, grid);
    }
}
