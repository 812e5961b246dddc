using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.LogDet;

/// <summary>The cut series <c>sum_{k &lt;= n} (-1)^(k+1)/k tr(J^k)</c> with exact traces from the full Jacobian: biased, without noise.</summary>
/// <param name="terms">n.</param>
public sealed class ExactTraceSeries(int terms) : LogDetEstimator
{
    private const int LargestOnStack = 256;
    private readonly int _terms = terms > 0 ? terms : throw new ArgumentOutOfRangeException(nameof(terms), terms, "At least one term.");
    private readonly ExactDeterminant _jacobian = new();

    /// <inheritdoc/>
    public override LogDetKind Kind => LogDetKind.Biased;

    /// <inheritdoc/>
    public override bool IsRandom => false;

    /// <inheritdoc/>
    public override int TangentCount(int width, in DrawAddress draw) => _jacobian.TangentCount(width, draw);

    /// <inheritdoc/>
    public override int CotangentCount(int width) => _jacobian.CotangentCount(width);

    /// <inheritdoc/>
    public override void FillTangents(IBackend backend, in DrawAddress draw, int valueRows, Tensor tangents, Workspace workspace) =>
        _jacobian.FillTangents(backend, draw, valueRows, tangents, workspace);

    /// <inheritdoc/>
    public override void Estimate(
        IBackend backend, in DrawAddress draw, Linearization branch, Tensor tangents, Tensor logDet, Tensor cotangents, Workspace workspace)
    {
        // tr(J^k) = sum_i e_i . (J')^k e_i: the probe series with each unit vector as probe. The derivative of
        // sum_k (-1)^(k+1)/k tr(J^k) is sum_i w_i . dJ e_i with w_i = sum_{k=1..n} (-1)^(k-1) (J')^(k-1) e_i.
        int width = tangents.Columns, rows = branch.ValueRows;
        Span<double> values = _terms <= LargestOnStack ? stackalloc double[_terms] : new double[_terms];
        Span<double> neumann = _terms <= LargestOnStack ? stackalloc double[_terms] : new double[_terms];
        for (int k = 1; k <= _terms; k++)
        {
            values[k - 1] = (k % 2 == 1 ? 1.0 : -1.0) / k;
            neumann[k - 1] = k == _terms ? 0 : k % 2 == 0 ? 1 : -1;
        }

        WorkspaceMark mark = workspace.Mark();
        Tensor jacobians = workspace.Rent(rows, width * width), part = workspace.Rent(rows, 1);
        backend.SolveJacobians(tangents, branch.Images, jacobians);
        backend.Fill(logDet, 0);
        for (int i = 0; i < width; i++)
        {
            backend.SeriesLogDet(
                jacobians, tangents.RowRange(i * rows, rows), values, neumann, part, cotangents.RowRange(i * rows, rows));
            backend.Axpby(1, part, 1, logDet);
        }

        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public override double ExpectedProducts(int width) => width;
}
