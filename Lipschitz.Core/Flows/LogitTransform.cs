using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>
/// <c>y = log(s / (1 - s))</c> with <c>s = alpha + (1 - 2 alpha) x</c> for each number: from [0, 1] to the line, away from its ends
/// (Dinh et al. 2017, section 4.1).
/// </summary>
public sealed class LogitTransform : IBijection
{
    private readonly IBackend _backend;

    /// <summary>Makes the map.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">For messages.</param>
    /// <param name="width">Columns.</param>
    /// <param name="alpha">The distance from 0 and 1, in (0, 0.5).</param>
    public LogitTransform(IBackend backend, string name, int width, double alpha)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(alpha);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(alpha, 0.5);
        (_backend, Name, Width, Alpha) = (backend, name, width, alpha);
    }

    /// <inheritdoc/>
    public int Width { get; }

    /// <summary>The distance from 0 and 1.</summary>
    public double Alpha { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => [];

    /// <summary>The sigmoid is 1/4-Lipschitz.</summary>
    public double InverseLipschitz => 0.25 / (1 - (2 * Alpha));

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
    public void Forward(Tensor x, Tensor y, Workspace workspace)
    {
        WorkspaceMark mark = workspace.Mark();
        Tensor unused = workspace.Rent(x.Rows, 1);
        _backend.Fill(unused, 0);
        _backend.LogitForward(x, Alpha, y, unused);
        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public void Inverse(Tensor y, Tensor x, FixedPointOptions options, Span<InverseError> errors, Workspace workspace)
    {
        _backend.LogitInverse(y, Alpha, x);
        errors.Clear();
    }

    /// <inheritdoc/>
    public BijectionPass CreatePass(LogDetEstimator estimator) => new Pass(this);

    private sealed class Pass(LogitTransform map) : BijectionPass
    {
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Forward(Tensor x, in DrawAddress draw, Tensor logDet, Workspace workspace)
        {
            _output = workspace.Rent(x.Rows, map.Width);
            map._backend.LogitForward(x, map.Alpha, _output, logDet);
        }

        public override void Backward(
            Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace) =>
            map._backend.LogitBackward(_output, map.Alpha, outputGradient, logDetGradient, xGradient);
    }
}
