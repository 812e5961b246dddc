using Lipschitz.Models;
using Lipschitz.Verification.Convolutions;

namespace Lipschitz.Verification.Certificates;

/// <summary>Everything that is claimed of one saved flow; <see cref="CertificateJson"/> writes it, Lipschitz.Checker proves it again.</summary>
/// <param name="ModelSha256">The digest of model.safetensors.</param>
/// <param name="Width">Columns of a point.</param>
/// <param name="Model">The architecture.</param>
/// <param name="Parts">The bijections in order.</param>
/// <param name="Lipschitz">A bound of the Lipschitz constant of the flow; of pictures, on [0, 1]^Width.</param>
/// <param name="Inverse">A bound of that of its inverse; infinite where some block is not below 1.</param>
public sealed record FlowCertificate(
    string ModelSha256, int Width, ModelSettings Model, IReadOnlyList<PartCertificate> Parts, double Lipschitz, double Inverse)
{
    /// <summary>The residual blocks.</summary>
    public IEnumerable<BlockCertificate> Blocks => Parts.OfType<BlockCertificate>();

    /// <summary>Whether every branch is proven to be a contraction.</summary>
    public bool IsContractive => Blocks.All(block => block.Branch.Lipschitz < 1);
}

/// <summary>One bijection of the chain, with bounds of its Lipschitz constant and that of its inverse.</summary>
/// <param name="Name">Such as <c>blocks.3</c>.</param>
/// <param name="Lipschitz">Of the bijection.</param>
/// <param name="Inverse">Of its inverse.</param>
public abstract record PartCertificate(string Name, double Lipschitz, double Inverse);

/// <summary>An ActNorm: exp of the largest log-scale, and exp of minus the smallest.</summary>
/// <inheritdoc/>
public sealed record ScaleCertificate(string Name, double Lipschitz, double Inverse) : PartCertificate(Name, Lipschitz, Inverse);

/// <summary>The logit transform of pictures: its constant holds on [0, 1]^width, that of its inverse everywhere.</summary>
/// <param name="Name">preprocess.</param>
/// <param name="Alpha">alpha of <c>logit(alpha + (1 - 2 alpha) x)</c>.</param>
/// <param name="Lipschitz">(1 - 2 alpha)/(alpha (1 - alpha)).</param>
/// <param name="Inverse">1/(4 (1 - 2 alpha)).</param>
public sealed record LogitCertificate(string Name, double Alpha, double Lipschitz, double Inverse) : PartCertificate(Name, Lipschitz, Inverse);

/// <summary>A permutation of the features: 1 and 1.</summary>
/// <param name="Name">Such as <c>squeezes.0</c>.</param>
/// <param name="FactorsOut">Whether the bijections behind it leave the second half of its output as it is.</param>
public sealed record PermutationCertificate(string Name, bool FactorsOut) : PartCertificate(Name, 1, 1);

/// <summary>A residual block: 1 + L and 1/(1 - L).</summary>
/// <param name="Name">Such as <c>blocks.3</c>.</param>
/// <param name="Lipschitz">1 + L.</param>
/// <param name="Inverse">1/(1 - L); infinite where L is not below 1.</param>
/// <param name="Branch">The claim L about the branch.</param>
/// <param name="Product">The product of the layers' bounds, which L may be below.</param>
public sealed record BlockCertificate(string Name, double Lipschitz, double Inverse, BranchCertificate Branch, double Product)
    : PartCertificate(Name, Lipschitz, Inverse);

/// <summary>A claim about Lip(g) of one branch.</summary>
/// <param name="Lipschitz">The bound.</param>
/// <param name="Activation">The nonlinearity.</param>
/// <param name="Phi">Its constant.</param>
public abstract record BranchCertificate(double Lipschitz, string Activation, double Phi)
{
    /// <summary>The claims about the weights, first layer first.</summary>
    public abstract IEnumerable<WeightClaim> Weights { get; }
}

/// <summary>Rule dense-net: <c>Lip(g) &lt;= s_final prod sqrt(e1^2 + (e2 phi s)^2)</c>.</summary>
/// <param name="Lipschitz">The bound.</param>
/// <param name="Activation">The nonlinearity.</param>
/// <param name="Phi">Its constant.</param>
/// <param name="First">The linear layer before the dense ones, whose bound is a factor, too; null where there is none.</param>
/// <param name="Layers">The dense layers.</param>
/// <param name="Final">The last linear layer.</param>
public sealed record DenseNetCertificate(
    double Lipschitz, string Activation, double Phi, WeightClaim? First, IReadOnlyList<ConcatenationClaim> Layers, WeightClaim Final)
    : BranchCertificate(Lipschitz, Activation, Phi)
{
    /// <inheritdoc/>
    public override IEnumerable<WeightClaim> Weights =>
        [.. First is null ? Array.Empty<WeightClaim>() : [First], .. Layers.Select(layer => layer.Weight), Final];
}

/// <summary>Rule product: <c>Lip(g) &lt;= prod phi s</c>, without phi for a first layer that no activation precedes.</summary>
/// <param name="Lipschitz">The bound.</param>
/// <param name="Activation">The nonlinearity.</param>
/// <param name="Phi">Its constant.</param>
/// <param name="Layers">The linear layers.</param>
public sealed record ProductCertificate(double Lipschitz, string Activation, double Phi, IReadOnlyList<WeightClaim> Layers)
    : BranchCertificate(Lipschitz, Activation, Phi)
{
    /// <inheritdoc/>
    public override IEnumerable<WeightClaim> Weights => Layers;
}

/// <summary>Rule multipliers: a bound of the whole branch from the slopes of its activation; see Branches.MultiplierBound.</summary>
/// <param name="Lipschitz">The bound.</param>
/// <param name="Activation">The nonlinearity.</param>
/// <param name="Phi">Its constant; not used by this rule.</param>
/// <param name="Least">The least slope.</param>
/// <param name="Largest">The largest slope.</param>
/// <param name="Layers">The weights; their bounds are not used by this rule.</param>
/// <param name="Multipliers">lambda, one a neuron.</param>
public sealed record MultiplierCertificate(
    double Lipschitz, string Activation, double Phi, double Least, double Largest, IReadOnlyList<WeightClaim> Layers,
    IReadOnlyList<double> Multipliers)
    : BranchCertificate(Lipschitz, Activation, Phi)
{
    /// <inheritdoc/>
    public override IEnumerable<WeightClaim> Weights => Layers;
}

/// <summary>A dense layer <c>[e1 h; e2 phi(N h + b)]</c>; e1 and e2 may be any positive numbers, since N = E D^-1 follows them.</summary>
/// <param name="E1">e1.</param>
/// <param name="E2">e2.</param>
/// <param name="Weight">The claim about N.</param>
public sealed record ConcatenationClaim(double E1, double E2, WeightClaim Weight);

/// <summary>
/// Rule dense-chol: <c>|E D^-1|_2 &lt;= Bound</c> for an effective weight E [Rows, Columns]; or rule conv-grid: the same of the zero-padded
/// convolution with that weight, by the norms of its symbol on a grid.
/// </summary>
/// <param name="Name">The tensor's name in model.safetensors.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Sha256">The digest of its bytes.</param>
/// <param name="Bound">The bound.</param>
/// <param name="Grid">The frequencies of a convolution; null for a matrix.</param>
public sealed record WeightClaim(string Name, int Rows, int Columns, string Sha256, double Bound, FrequencyGrid? Grid = null);
