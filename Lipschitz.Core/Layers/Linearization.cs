using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// A layer g at B recorded points: values, tangents and products with the Jacobian J there. Reusable, one thread at a time.
/// </summary>
/// <remarks>
/// Stacked tensors have B rows of values, then B rows for each of T tangents. The records are rented from the workspace given to
/// <see cref="Evaluate"/> and live until that memory is released.
/// </remarks>
public abstract class Linearization
{
    /// <summary>B, the number of points.</summary>
    public int ValueRows { get; protected set; }

    /// <summary>The stacked output [B (1 + T), OutputWidth]: g(x), then J t for each tangent t.</summary>
    public abstract Tensor Output { get; }

    /// <summary>g(x) [B, OutputWidth].</summary>
    public Tensor Value => Output.RowRange(0, ValueRows);

    /// <summary>J t for each tangent [T B, OutputWidth].</summary>
    public Tensor Images => Output.RowRange(ValueRows, Output.Rows - ValueRows);

    /// <summary>Evaluates g and T directional derivatives (Forward and Jvp in one) at a stacked input [B (1 + T), InputWidth].</summary>
    public abstract void Evaluate(Tensor input, int valueRows, Workspace workspace);

    /// <summary>
    /// Records what <see cref="Vjp"/> and <see cref="Jvp"/> need; they may be called until this memory of the workspace is released.
    /// </summary>
    public abstract void PrepareProducts(Workspace workspace);

    /// <summary>result &lt;- J'w, any number of times; changes nothing. w [k B, OutputWidth], result [k B, InputWidth].</summary>
    public abstract void Vjp(Tensor w, Tensor result, Workspace workspace);

    /// <summary>result &lt;- J t, any number of times; changes nothing. t [k B, InputWidth], result [k B, OutputWidth].</summary>
    public abstract void Jvp(Tensor t, Tensor result, Workspace workspace);

    /// <summary>
    /// The adjoint of <see cref="Evaluate"/>: with (gy, gt) the rows of outputGradient, inputGradient &lt;- the derivative of
    /// sum(gy g(x)) + sum(gt J(x) t) with respect to the stacked input, and gradient (flat) += that with respect to the effective
    /// weights. outputGradient [B (1 + T'), OutputWidth] covers the first T' &lt;= T tangents, inputGradient [B (1 + T'), InputWidth].
    /// </summary>
    public abstract void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace);
}
