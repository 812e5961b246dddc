using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.LogDet;

/// <summary>
/// <c>log det(I + J) = sum_k (-1)^(k+1)/k tr(J^k)</c> with Hutchinson's traces and a fixed or random number of terms, and the Neumann
/// series for its gradient (Chen et al. 2019, eq. 6 and theorem 2).
/// </summary>
/// <remarks>
/// With u_k = (J')^k eps, the value is sum_k (-1)^(k+1)/k c_k u_k . eps and the cotangent w = eps + sum_k (-1)^k c_k u_k: one sweep of
/// products gives both. The gradient of w'J eps is an unbiased gradient of the log-determinant; its value is not its value, and is not
/// reported as such. Where the width is at most the number of terms, one Jacobian a sample is cheaper than the sweep: the tangents are
/// then the probe and enough unit vectors to determine J, and the same u_k follow from d x d products.
/// </remarks>
public sealed class SeriesEstimator : LogDetEstimator
{
    private const int MaterialiseUpTo = 8;
    private const int LargestOnStack = 256;
    private const int LargestProbes = 256; // the address of a probe has 8 bits for its number
    private readonly SeriesLength _length;
    private readonly int _probes;
    private readonly ProbeKind _probe;

    /// <summary>Makes the estimator.</summary>
    /// <param name="length">The number of terms and their weights.</param>
    /// <param name="probes">Probes a sample, averaged; at most 256.</param>
    /// <param name="probe">Their distribution.</param>
    public SeriesEstimator(SeriesLength length, int probes = 1, ProbeKind probe = ProbeKind.Gaussian)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(probes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probes, LargestProbes);
        (_length, _probes, _probe) = (length, probes, probe);
    }

    /// <inheritdoc/>
    public override LogDetKind Kind => _length.IsUnbiased ? LogDetKind.Unbiased : LogDetKind.Biased;

    /// <inheritdoc/>
    public override bool IsRandom => true;

    /// <inheritdoc/>
    public override int TangentCount(int width, in DrawAddress draw) => Materialises(width, _length.Terms(draw)) ? width : _probes;

    /// <inheritdoc/>
    public override int CotangentCount(int width) => _probes;

    /// <inheritdoc/>
    public override void FillTangents(IBackend backend, in DrawAddress draw, int valueRows, Tensor tangents, Workspace workspace)
    {
        if (tangents.Rows == _probes * valueRows)
        {
            FillProbes(backend, draw, valueRows, tangents);
            return;
        }

        WorkspaceMark mark = workspace.Mark();
        Tensor probe = workspace.Rent(valueRows, tangents.Columns);
        FillProbes(backend, draw, valueRows, probe);
        backend.CompleteBasis(probe, tangents);
        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public override void Estimate(
        IBackend backend, in DrawAddress draw, Linearization branch, Tensor tangents, Tensor logDet, Tensor cotangents, Workspace workspace)
    {
        int terms = _length.Terms(draw), width = tangents.Columns, rows = branch.ValueRows;
        WorkspaceMark mark = workspace.Mark();
        if (Materialises(width, terms))
        {
            Span<double> values = terms <= LargestOnStack ? stackalloc double[terms] : new double[terms];
            Span<double> neumann = terms <= LargestOnStack ? stackalloc double[terms] : new double[terms];
            for (int k = 1; k <= terms; k++)
            {
                values[k - 1] = ValueWeight(k);
                neumann[k - 1] = NeumannWeight(k);
            }

            Tensor jacobians = workspace.Rent(rows, width * width);
            backend.SolveJacobians(tangents, branch.Images, jacobians);
            backend.SeriesLogDet(jacobians, tangents.RowRange(0, rows), values, neumann, logDet, cotangents);
        }
        else
        {
            branch.PrepareProducts(workspace);
            Tensor u = workspace.Rent(_probes * rows, width), next = workspace.Rent(_probes * rows, width);
            backend.Copy(tangents, u);
            backend.Copy(tangents, cotangents);
            backend.Fill(logDet, 0);
            for (int k = 1; k <= terms; k++)
            {
                branch.Vjp(u, next, workspace);
                (u, next) = (next, u);
                backend.Axpby(NeumannWeight(k), u, 1, cotangents);
                for (int probe = 0; probe < _probes; probe++)
                {
                    backend.RowDots(
                        ValueWeight(k) / _probes, u.RowRange(probe * rows, rows), tangents.RowRange(probe * rows, rows), 1, logDet);
                }
            }

            if (_probes > 1)
            {
                backend.Axpby(0, cotangents, 1.0 / _probes, cotangents);
            }
        }

        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public override double ExpectedProducts(int width) => _probes * (_length.ExpectedTerms + 1);

    /// <inheritdoc/>
    public override double MadeProducts(int width) =>
        Materialises(width, (int)_length.ExpectedTerms) ? width : ExpectedProducts(width);

    private bool Materialises(int width, int terms) => _probes == 1 && width <= terms && width <= MaterialiseUpTo;

    private double ValueWeight(int k) => (k % 2 == 1 ? 1.0 : -1.0) / k * _length.Weight(k);

    private double NeumannWeight(int k) => (k % 2 == 0 ? 1.0 : -1.0) * _length.Weight(k);

    private void FillProbes(IBackend backend, in DrawAddress draw, int rows, Tensor probes)
    {
        // Probe p of row r has the address of row r and purpose index p: the block in the low bits, the probe above.
        for (int probe = 0; probe < _probes; probe++)
        {
            RandomKey key = draw.Key(RandomPurpose.Probe) with { Index = draw.Block | ((uint)probe << 16) };
            Tensor part = probes.RowRange(probe * rows, rows);
            if (_probe == ProbeKind.Gaussian)
            {
                backend.FillNormal(key, draw.FirstRow, part);
            }
            else
            {
                backend.FillSigns(key, draw.FirstRow, part);
            }
        }
    }
}
