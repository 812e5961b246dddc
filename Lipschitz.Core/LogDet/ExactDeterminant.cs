using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.LogDet;

/// <summary>log det(I + J) from the full Jacobian: d tangents a sample, then a d x d factorisation. No noise; for small d.</summary>
public sealed class ExactDeterminant : LogDetEstimator
{
    /// <summary>The largest dimension accepted: beyond it the cubic cost per sample makes the series the better choice.</summary>
    public const int LargestWidth = 16;

    /// <inheritdoc/>
    public override LogDetKind Kind => LogDetKind.Exact;

    /// <inheritdoc/>
    public override bool IsRandom => false;

    /// <inheritdoc/>
    public override int TangentCount(int width, in DrawAddress draw) => CotangentCount(width);

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The dimension is above <see cref="LargestWidth"/>.</exception>
    public override int CotangentCount(int width) => width <= LargestWidth
        ? width
        : throw new NotSupportedException(
            $"The exact log-determinant takes at most {LargestWidth} dimensions, not {width}; choose Roulette or Truncated.");

    /// <inheritdoc/>
    public override void FillTangents(IBackend backend, in DrawAddress draw, int valueRows, Tensor tangents, Workspace workspace)
    {
        backend.Fill(tangents, 0);
        for (int j = 0; j < tangents.Columns; j++)
        {
            backend.Fill(tangents.RowRange(j * valueRows, valueRows).ColumnRange(j, 1), 1);
        }
    }

    /// <inheritdoc/>
    public override void Estimate(
        IBackend backend, in DrawAddress draw, Linearization branch, Tensor tangents, Tensor logDet, Tensor cotangents, Workspace workspace)
    {
        WorkspaceMark mark = workspace.Mark();
        int width = tangents.Columns;
        Tensor jacobians = workspace.Rent(branch.ValueRows, width * width);
        backend.SolveJacobians(tangents, branch.Images, jacobians);
        backend.ExactLogDet(jacobians, logDet, cotangents);
        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public override double ExpectedProducts(int width) => width;
}
