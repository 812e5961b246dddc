using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>A differentiable map g from rows of <see cref="InputWidth"/> to rows of <see cref="OutputWidth"/> numbers.</summary>
/// <remarks>
/// <para>
/// A layer holds parameters and, after <see cref="Prepare"/>, the effective weights made of them; nothing of an evaluation. What an
/// evaluation records lives in a <see cref="Linearization"/>, so that a layer can be evaluated at several points at once.
/// </para>
/// <para>
/// The order within a training step: Prepare; any number of evaluations and Backward passes, which add gradients with respect to the
/// effective weights to a flat vector each; PullBack once on their sum; an optimiser step; UpdateNorms.
/// </para>
/// </remarks>
public interface ILayer
{
    /// <summary>Columns of the input.</summary>
    int InputWidth { get; }

    /// <summary>Columns of the output.</summary>
    int OutputWidth { get; }

    /// <summary>Trained parameters and saved state, in a fixed order.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>
    /// The weights that evaluations use, made from the parameters by <see cref="Prepare"/>: what a saved model holds, so that it is the
    /// same function on every machine, and what its bounds are about.
    /// </summary>
    IReadOnlyList<EffectiveWeight> EffectiveWeights { get; }

    /// <summary>Makes the effective weights from the parameters; once after every change of them.</summary>
    void Prepare();

    /// <summary>Makes evaluations use the numbers now in <see cref="EffectiveWeights"/>; the last part of <see cref="Prepare"/>.</summary>
    void Pack();

    /// <summary>
    /// Turns a flat gradient with respect to the effective weights into one with respect to the parameters, in place.
    /// </summary>
    void PullBack(Tensor gradient);

    /// <summary>
    /// Improves the estimates of the weights' norms by power iteration; once after every change of the weights. Evaluations and
    /// <see cref="EffectiveWeights"/> follow at the next <see cref="Prepare"/>, which comes before either is used again.
    /// </summary>
    /// <param name="iterations">Iterations at most.</param>
    /// <param name="tolerance">Relative change at which to stop early; 0 for never.</param>
    void UpdateNorms(int iterations, double tolerance);

    /// <summary>The present estimate of the Lipschitz constant in the 2-norm; an estimate, not a bound, where a weight's norm is estimated.</summary>
    double LipschitzEstimate { get; }

    /// <summary>
    /// An upper bound of the Lipschitz constant in the p-norm on both sides, from the effective weights in double precision on the
    /// host; exact arithmetic assumed.
    /// </summary>
    /// <param name="p">The norm, 1 to positive infinity.</param>
    double Bound(double p);

    /// <summary>y &lt;- g(x). x [B, InputWidth], y [B, OutputWidth].</summary>
    void Forward(Tensor x, Tensor y, Workspace workspace);

    /// <summary>A reusable record of evaluations of this layer.</summary>
    Linearization CreateLinearization();
}
