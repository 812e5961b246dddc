using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>An invertible map between rows of <see cref="Width"/> numbers, with its log-determinant.</summary>
/// <remarks>
/// To add one: write the class, its pass, and one row in the table of bijections of the tests, which checks gradients against finite
/// differences, the log-determinant against the full Jacobian, and the round trip. The life cycle of parameters is that of
/// <see cref="ILayer"/>.
/// </remarks>
public interface IBijection
{
    /// <summary>Columns of input and output.</summary>
    int Width { get; }

    /// <summary>A short name for messages, such as <c>blocks.3</c>.</summary>
    string Name { get; }

    /// <summary>Trained parameters and saved state, in a fixed order.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Makes effective weights from parameters.</summary>
    void Prepare();

    /// <summary>Turns a flat gradient with respect to effective weights into one with respect to parameters, in place.</summary>
    void PullBack(Tensor gradient);

    /// <summary>Improves the estimates of the weights' norms.</summary>
    void UpdateNorms(int iterations, double tolerance);

    /// <summary>Sets parameters from the first batch where the bijection is so initialised; x [B, Width] is its input.</summary>
    void Initialise(Tensor x)
    {
    }

    /// <summary>A bound of the Lipschitz constant of F^-1 in the 2-norm; found anew after each <see cref="Prepare"/>, then kept.</summary>
    double InverseLipschitz { get; }

    /// <summary>y &lt;- F(x). x, y [B, Width].</summary>
    void Forward(Tensor x, Tensor y, Workspace workspace);

    /// <summary>
    /// x &lt;- F^-1(y) for each row, with what is known about the error. y, x [B, Width].
    /// </summary>
    /// <exception cref="ConvergenceException">An iteration did not reach its tolerance.</exception>
    void Inverse(Tensor y, Tensor x, FixedPointOptions options, Span<InverseError> errors, Workspace workspace);

    /// <summary>A reusable record of forward passes with log-determinant and gradient.</summary>
    /// <param name="estimator">The way to get log-determinants that have no closed form.</param>
    BijectionPass CreatePass(LogDetEstimator estimator);
}

/// <summary>One forward pass through a bijection, kept to be differentiated. Reusable, one thread at a time.</summary>
public abstract class BijectionPass
{
    /// <summary>F(x) [B, Width], in the workspace of the last forward pass.</summary>
    public abstract Tensor Output { get; }

    /// <summary>Evaluates F at x and logDet [B, 1] += log |det dF/dx| of each row, in nats.</summary>
    public abstract void Forward(Tensor x, in DrawAddress draw, Tensor logDet, Workspace workspace);

    /// <summary>
    /// xGradient &lt;- the derivative of <c>sum(outputGradient F(x)) + sum(logDetGradient logDet)</c> with respect to x, and
    /// gradient (flat) += that with respect to the effective weights. logDetGradient [B, 1].
    /// </summary>
    public abstract void Backward(Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace);
}
