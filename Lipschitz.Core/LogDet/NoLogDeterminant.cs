using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.LogDet;

/// <summary>Leaves the log-determinants of residual branches out, for losses that have none: no tangents, no products.</summary>
public sealed class NoLogDeterminant : LogDetEstimator
{
    /// <inheritdoc/>
    public override LogDetKind Kind => LogDetKind.Biased;

    /// <inheritdoc/>
    public override bool IsRandom => false;

    /// <inheritdoc/>
    public override int TangentCount(int width, in DrawAddress draw) => 0;

    /// <inheritdoc/>
    public override int CotangentCount(int width) => 0;

    /// <inheritdoc/>
    public override void FillTangents(IBackend backend, in DrawAddress draw, int valueRows, Tensor tangents, Workspace workspace)
    {
    }

    /// <inheritdoc/>
    public override void Estimate(
        IBackend backend, in DrawAddress draw, Linearization branch, Tensor tangents, Tensor logDet, Tensor cotangents, Workspace workspace) =>
        backend.Fill(logDet, 0);

    /// <inheritdoc/>
    public override double ExpectedProducts(int width) => 0;
}
