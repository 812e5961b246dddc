using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary><c>F(x) = x + g(x)</c>, invertible because g is a contraction (Behrmann et al. 2019).</summary>
public sealed class ResidualBlock : IBijection
{
    private readonly IBackend _backend;
    private KnownBound? _bound; // one object, so that threads see all of it or nothing
    private KnownBound? _proven;

    /// <summary>Makes a block of a branch whose widths are equal.</summary>
    /// <exception cref="ShapeMismatchException">The branch changes the width.</exception>
    public ResidualBlock(IBackend backend, string name, ILayer branch)
    {
        if (branch.InputWidth != branch.OutputWidth)
        {
            throw new ShapeMismatchException(
                $"{name}: the branch of a residual block must keep the width, not map {branch.InputWidth} to {branch.OutputWidth} columns.");
        }

        (_backend, Name, Branch) = (backend, name, branch);
    }

    /// <summary>g.</summary>
    public ILayer Branch { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Width => Branch.InputWidth;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => Branch.Parameters;

    /// <inheritdoc/>
    public void Prepare()
    {
        Branch.Prepare();
        Expire();
    }

    /// <summary>The parameters have changed since anything was found out about the branch.</summary>
    internal void Expire() => (_bound, _proven) = (null, null);

    /// <summary>
    /// A bound of Lip(g) in the 2-norm: the product of the layers' bounds, found anew when the effective weights have changed; where that is not below 1, what
    /// <see cref="UseProven"/> was told of these weights.
    /// </summary>
    public double BranchBound
    {
        get
        {
            long version = WeightsVersion();
            KnownBound? known = _bound;
            if (known?.Version != version)
            {
                _bound = known = new KnownBound(version, Branch.Bound(2));
            }

            return known.Value >= 1 && _proven is { } proven && proven.Version == version ? Math.Min(known.Value, proven.Value) : known.Value;
        }
    }

    /// <summary>
    /// Takes a bound of Lip(g) in the 2-norm that was proven in another way. It is forgotten when the weights change, and serves only where the product of
    /// the layers' bounds is not below 1, so that no other inverse depends on whether something was proven.
    /// </summary>
    /// <param name="lipschitz">The bound.</param>
    public void UseProven(double lipschitz)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lipschitz);
        _proven = new KnownBound(WeightsVersion(), lipschitz);
    }

    /// <inheritdoc/>
    public double InverseLipschitz => BranchBound < 1 ? 1 / (1 - BranchBound) : double.PositiveInfinity;

    /// <inheritdoc/>
    public void PullBack(Tensor gradient) => Branch.PullBack(gradient);

    /// <inheritdoc/>
    public void UpdateNorms(int iterations, double tolerance) => Branch.UpdateNorms(iterations, tolerance);

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace)
    {
        Branch.Forward(x, y, workspace);
        _backend.Axpby(1, x, 1, y);
    }

    /// <inheritdoc/>
    public void Inverse(Tensor y, Tensor x, FixedPointOptions options, Span<InverseError> errors, Workspace workspace) =>
        FixedPointInverse.Solve(_backend, Branch, BranchBound, Name, y, x, options, errors, workspace);

    /// <inheritdoc/>
    public BijectionPass CreatePass(LogDetEstimator estimator) => CreatePass(estimator, recompute: false);

    /// <summary>A reusable record of forward passes with log-determinant and gradient.</summary>
    /// <param name="estimator">The way to get log-determinants.</param>
    /// <param name="recompute">
    /// Whether to keep nothing of the branch but its input, the output and the cotangents, and to evaluate it again before the backward
    /// pass: the same bits with less memory.
    /// </param>
    public BijectionPass CreatePass(LogDetEstimator estimator, bool recompute) => new Pass(this, estimator, recompute);

    private long WeightsVersion()
    {
        long version = 0;
        foreach (EffectiveWeight weight in Branch.EffectiveWeights)
        {
            version += weight.Version;
        }

        return version;
    }

    private sealed record KnownBound(long Version, double Value);

    private sealed class Pass(ResidualBlock block, LogDetEstimator estimator, bool recompute) : BijectionPass
    {
        private readonly IBackend _backend = block._backend;
        private readonly Linearization _branch = block.Branch.CreateLinearization();
        private Tensor _input;
        private Tensor _output;
        private Tensor _cotangents;
        private DrawAddress _draw;

        public override Tensor Output => _output;

        public override void Forward(Tensor x, in DrawAddress draw, Tensor logDet, Workspace workspace)
        {
            int rows = x.Rows, width = block.Width;
            (_input, _draw) = (x, draw);
            _output = workspace.Rent(rows, width);
            _cotangents = workspace.Rent(estimator.CotangentCount(width) * rows, width);
            WorkspaceMark records = workspace.Mark();
            Tensor tangents = Evaluate(workspace);
            _backend.Copy(x, _output);
            _backend.Axpby(1, _branch.Value, 1, _output);

            WorkspaceMark mark = workspace.Mark();
            Tensor estimate = workspace.Rent(rows, 1);
            estimator.Estimate(_backend, draw, _branch, tangents, estimate, _cotangents, workspace);
            _backend.Axpby(1, estimate, 1, logDet);
            workspace.Release(recompute ? records : mark);
        }

        public override void Backward(
            Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            if (recompute)
            {
                Evaluate(workspace);
            }

            int rows = outputGradient.Rows, stackedRows = rows + _cotangents.Rows;
            Tensor branchGradient = workspace.Rent(stackedRows, block.Width), inputGradient = workspace.Rent(stackedRows, block.Width);
            _backend.Copy(outputGradient, branchGradient.RowRange(0, rows));
            _backend.ScaleRows(logDetGradient, _cotangents, branchGradient.RowRange(rows, _cotangents.Rows));
            _branch.Backward(branchGradient, inputGradient, gradient, workspace);
            _backend.Copy(outputGradient, xGradient);
            _backend.Axpby(1, inputGradient.RowRange(0, rows), 1, xGradient);
            workspace.Release(mark);
        }

        // Records the branch at the input, along the estimator's directions, which it returns.
        private Tensor Evaluate(Workspace workspace)
        {
            int rows = _input.Rows, tangentRows = estimator.TangentCount(block.Width, _draw) * rows;
            Tensor stacked = workspace.Rent(rows + tangentRows, block.Width);
            Tensor tangents = stacked.RowRange(rows, tangentRows);
            _backend.Copy(_input, stacked.RowRange(0, rows));
            estimator.FillTangents(_backend, _draw, rows, tangents, workspace);
            _branch.Evaluate(stacked, rows, workspace);
            return tangents;
        }
    }
}
