using Lipschitz.Backends;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>One forward pass of a shard through a whole flow, kept to be differentiated. Reusable, one thread at a time.</summary>
public sealed class FlowPass
{
    private readonly Flow _flow;
    private readonly IBackend _backend;
    private readonly BijectionPass[] _passes;
    private Tensor _input;
    private Tensor _output;
    private Tensor _logDet;
    private DrawAddress _draw;

    internal FlowPass(Flow flow, LogDetEstimator estimator, bool recompute)
    {
        (_flow, _backend) = (flow, flow.Backend);
        _passes = [.. flow.Bijections.Select(b => b is ResidualBlock block ? block.CreatePass(estimator, recompute) : b.CreatePass(estimator))];
    }

    /// <summary>z = F(x) [B, Width].</summary>
    public Tensor Output => _output;

    /// <summary>The output of bijection number <paramref name="bijection"/>, in its shape.</summary>
    public Tensor OutputAfter(int bijection) => _passes[bijection].Output;

    /// <summary>log |det dF/dx| of each row [B, 1], in nats.</summary>
    public Tensor LogDet => _logDet;

    /// <summary>Evaluates the flow at x [B, Width]; the records live in <paramref name="workspace"/> until it is reset.</summary>
    /// <param name="x">Points.</param>
    /// <param name="draw">Seed, step and first row; the block number is filled in.</param>
    /// <param name="workspace">Where records and results are rented.</param>
    public void Forward(Tensor x, in DrawAddress draw, Workspace workspace)
    {
        (_input, _draw) = (x, draw);
        _logDet = workspace.Rent(x.Rows, 1);
        _backend.Fill(_logDet, 0);
        for (int i = 0; i < _passes.Length; i++)
        {
            _passes[i].Forward(Entering(i, x, workspace), draw with { Block = (uint)i }, _logDet, workspace);
            x = _passes[i].Output;
        }

        _output = x;
        if (x.Columns < _flow.Width)
        {
            _output = workspace.Rent(x.Rows, _flow.Width);
            _backend.Copy(x, _output.ColumnRange(0, x.Columns));
            for (int i = 1; i < _passes.Length; i++)
            {
                int kept = _flow.Bijections[i].Width, left = _flow.Bijections[i - 1].Width - kept;
                _backend.Copy(_passes[i - 1].Output.ColumnRange(kept, left), _output.ColumnRange(kept, left));
            }
        }
    }

    /// <summary>logProb [B, 1] &lt;- log N(z; 0, I) + logDet, in nats.</summary>
    public void LogProb(Tensor logProb)
    {
        _backend.Fill(logProb, -0.5 * _flow.Width * Math.Log(2 * Math.PI));
        _backend.RowDots(-0.5, Output, Output, 1, logProb);
        _backend.Axpby(1, _logDet, 1, logProb);
    }

    /// <summary>
    /// gradient (flat, effective weights) += the derivative of <c>-weight * sum of logProb</c> plus that of <c>sum(g h)</c> for each further
    /// gradient g of an output h; weight is usually 1/batch. order is asked around each bijection's addition to the gradient.
    /// </summary>
    public void BackwardNegativeLogLikelihood(
        double weight, Tensor gradient, Workspace workspace, ReadOnlySpan<OutputGradient> further = default, IGradientOrder? order = null)
    {
        WorkspaceMark mark = workspace.Mark();
        int rows = Output.Rows;
        Tensor outputGradient = workspace.Rent(rows, _flow.Width), inputGradient = workspace.Rent(rows, _flow.Width);
        Tensor logDetGradient = workspace.Rent(rows, 1);
        _backend.Axpby(weight, Output, 0, outputGradient);
        _backend.Fill(logDetGradient, -weight);
        Backward(outputGradient, logDetGradient, inputGradient, gradient, workspace, further, order);
        workspace.Release(mark);
    }

    /// <summary>
    /// xGradient &lt;- the derivative of <c>sum(outputGradient z) + sum(logDetGradient logDet)</c>, and of <c>sum(g h)</c> for each further
    /// gradient g of an output h, with respect to x, and gradient (flat) += that with respect to the effective weights.
    /// <paramref name="further"/> is in the order of its bijections; <paramref name="order"/> is asked around each bijection's addition to the gradient.
    /// </summary>
    public void Backward(
        Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace,
        ReadOnlySpan<OutputGradient> further = default, IGradientOrder? order = null)
    {
        WorkspaceMark mark = workspace.Mark();
        int rows = outputGradient.Rows, width = 0, left = further.Length;
        Tensor above = default, below = default;
        for (int i = _passes.Length - 1; i >= 0; i--)
        {
            int wider = _flow.Bijections[i].Width;
            if (wider > width)
            {
                // What left before the bijection above gets its gradient from z directly.
                Tensor kept = above;
                (above, below) = (workspace.Rent(rows, wider), workspace.Rent(rows, wider));
                if (width > 0)
                {
                    _backend.Copy(kept, above.ColumnRange(0, width));
                }

                _backend.Copy(outputGradient.ColumnRange(width, wider - width), above.ColumnRange(width, wider - width));
                width = wider;
            }

            for (; left > 0 && further[left - 1].Bijection == i; left--)
            {
                _backend.Axpby(1, further[left - 1].Gradient, 1, above);
            }

            order?.Enter(i);
            _passes[i].Backward(above, logDetGradient, below, gradient, workspace);
            order?.Leave(i);
            (above, below) = (below, above);
        }

        _backend.Copy(above, xGradient);
        workspace.Release(mark);
    }

    /// <summary>
    /// Names the first bijection whose output or log-determinant is not finite, and the first such row, after a pass that ended in NaN or
    /// infinity; repeats the pass to find it, so that its records are lost.
    /// </summary>
    /// <param name="firstRow">The row of the whole batch that the shard begins at.</param>
    /// <returns>What is to be thrown, with the row of the whole batch.</returns>
    public NonFiniteException DescribeNonFinite(long firstRow)
    {
        (string what, int row) = FindNonFinite();
        return NotFinite(what, firstRow + row);
    }

    /// <summary>Says what is not finite, and in which row.</summary>
    internal static NonFiniteException NotFinite(string what, long row) => new($"{what} is not finite (row {row}, counted from 0)", row);

    /// <summary>The first row with a number that is not finite; null where all are.</summary>
    internal static int? FirstNonFinite(IBackend backend, Tensor x)
    {
        if (backend.AllFinite(x))
        {
            return null;
        }

        var values = new double[x.Count];
        backend.Download(x, values);
        return Array.FindIndex(values, value => !double.IsFinite(value)) / x.Columns;
    }

    private (string What, int Row) FindNonFinite()
    {
        if (FirstNonFinite(_backend, _input) is { } entered)
        {
            return ("the input", entered);
        }

        var workspace = new Workspace(_backend);
        Tensor x = _input, logDet = workspace.Rent(x.Rows, 1);
        _backend.Fill(logDet, 0);
        for (int i = 0; i < _passes.Length; i++)
        {
            _passes[i].Forward(Entering(i, x, workspace), _draw with { Block = (uint)i }, logDet, workspace);
            x = _passes[i].Output;
            if (FirstNonFinite(_backend, x) is { } left)
            {
                return ($"the output of {_flow.Bijections[i].Name}", left);
            }

            if (FirstNonFinite(_backend, logDet) is { } stretched)
            {
                return ($"the log-determinant of {_flow.Bijections[i].Name}", stretched);
            }
        }

        Tensor logProb = workspace.Rent(x.Rows, 1);
        LogProb(logProb);
        return ("the log-density", FirstNonFinite(_backend, logProb) ?? 0);
    }

    // The columns of x that bijection i takes.
    private Tensor Entering(int i, Tensor x, Workspace workspace)
    {
        int width = _flow.Bijections[i].Width;
        if (width == x.Columns)
        {
            return x;
        }

        Tensor kept = workspace.Rent(x.Rows, width);
        _backend.Copy(x.ColumnRange(0, width), kept);
        return kept;
    }
}

/// <summary>A gradient with respect to what one bijection of a flow gives to the next.</summary>
/// <param name="Bijection">The bijection's position in the flow.</param>
/// <param name="Gradient">As wide as its output [B, Width].</param>
public readonly record struct OutputGradient(int Bijection, Tensor Gradient);
