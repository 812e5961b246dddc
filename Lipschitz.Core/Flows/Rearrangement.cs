using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>A bijection that only moves numbers: no parameters, log-determinant 0, its inverse exact and its own adjoint.</summary>
public abstract class Rearrangement(string name, int width) : IBijection
{
    /// <inheritdoc/>
    public int Width { get; } = width;

    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => [];

    /// <inheritdoc/>
    public double InverseLipschitz => 1;

    /// <inheritdoc/>
    public void Prepare()
    {
    }

    /// <inheritdoc/>
    public void PullBack(Tensor gradient)
    {
    }

    /// <inheritdoc/>
    public void UpdateNorms(int iterations, double tolerance)
    {
    }

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace) => Move(x, y);

    /// <inheritdoc/>
    public void Inverse(Tensor y, Tensor x, FixedPointOptions options, Span<InverseError> errors, Workspace workspace)
    {
        MoveBack(y, x);
        errors.Clear();
    }

    /// <inheritdoc/>
    public BijectionPass CreatePass(LogDetEstimator estimator) => new Pass(this);

    /// <summary>y &lt;- the rearranged x. x, y [B, Width].</summary>
    protected abstract void Move(Tensor x, Tensor y);

    /// <summary>x &lt;- what <see cref="Move"/> makes y of.</summary>
    protected abstract void MoveBack(Tensor y, Tensor x);

    private sealed class Pass(Rearrangement map) : BijectionPass
    {
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Forward(Tensor x, in DrawAddress draw, Tensor logDet, Workspace workspace)
        {
            _output = workspace.Rent(x.Rows, map.Width);
            map.Move(x, _output);
        }

        public override void Backward(
            Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace) =>
            map.MoveBack(outputGradient, xGradient);
    }
}
