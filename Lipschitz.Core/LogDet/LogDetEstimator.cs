using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.LogDet;

/// <summary>
/// A way to get log det(I + J) of a residual branch g at each sample, and with it cotangents whose pairing with dJ gives its gradient.
/// </summary>
/// <remarks>
/// One evaluation has three steps, so that value and derivatives share their products: <see cref="FillTangents"/> says along which
/// directions the branch is to be differentiated; the caller evaluates the branch; <see cref="Estimate"/> reads the log-determinant
/// and its cotangents off the record. The gradient of logDet is then the derivative of
/// <c>sum_k cotangent_k . J tangent_k</c> with the cotangents held constant.
/// </remarks>
public abstract class LogDetEstimator
{
    /// <summary>What the values are.</summary>
    public abstract LogDetKind Kind { get; }

    /// <summary>Whether the values differ from draw to draw.</summary>
    public abstract bool IsRandom { get; }

    /// <summary>T: the tangents a sample that the branch must be evaluated with, for this draw.</summary>
    public abstract int TangentCount(int width, in DrawAddress draw);

    /// <summary>T': how many of these tangents, counted from the first, the gradient needs.</summary>
    public abstract int CotangentCount(int width);

    /// <summary>tangents [T B, width] &lt;- the directions to differentiate along.</summary>
    public abstract void FillTangents(Backends.IBackend backend, in DrawAddress draw, int valueRows, Tensor tangents, Workspace workspace);

    /// <summary>logDet [B, 1] &lt;- the estimate in nats; cotangents [T' B, width] &lt;- see the remarks.</summary>
    public abstract void Estimate(
        Backends.IBackend backend, in DrawAddress draw, Linearization branch, Tensor tangents, Tensor logDet, Tensor cotangents,
        Workspace workspace);

    /// <summary>
    /// The products with J or J' a sample that this estimator is expected to make, in units of one forward evaluation, for the floor of
    /// a step: probes and tangents, without forward and backward.
    /// </summary>
    public abstract double ExpectedProducts(int width);

    /// <summary>The products with J a sample that this implementation makes on average, where it finds a shorter way than the floor's.</summary>
    public virtual double MadeProducts(int width) => ExpectedProducts(width);
}

/// <summary>Where the random numbers of one block in one pass come from.</summary>
/// <param name="Seed">The seed of the run.</param>
/// <param name="Step">The training step or the repeat.</param>
/// <param name="Block">The block's position in the flow.</param>
/// <param name="FirstRow">The row of the whole batch that the shard's first row is.</param>
public readonly record struct DrawAddress(ulong Seed, uint Step, uint Block, long FirstRow)
{
    /// <summary>The key of this block's numbers for one purpose.</summary>
    public RandomKey Key(RandomPurpose purpose) => new(Seed, purpose, Step, Block);
}
