using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>Solves x + g(x) = y by <c>x &lt;- y - g(x)</c> for a contraction g (Behrmann et al. 2019, algorithm 1).</summary>
/// <remarks>
/// Banach's a-posteriori bound: with Lip(g) &lt;= L, <c>|x_k - x*| &lt;= L/(1-L) |x_k - x_(k-1)|</c>. A row stops when its bound is under the
/// tolerance. In finite precision |x_k - x_(k-1)| stalls at the rounding of one evaluation, amplified by up to 1/(1-L); a row that has
/// stalled there stops with the bound it reached, which is then above the tolerance, and reports it. An evaluation off by r moves the
/// fixed point by up to r/(1-L): the reported bound has that on top, for an r of a few units in the last place of y and x. That is what
/// rounding mostly does, and no bound of it: biases within g that are large and cancel make r larger. Proven, every rounding included,
/// is <c>FlowEnclosure.InverseError</c> of Lipschitz.Verification.
/// </remarks>
public static class FixedPointInverse
{
    // Steps this far below the size of the numbers, in units of rounding, may be rounding noise.
    private const double NoiseUnits = 16;

    // What one evaluation of y - g(x) is taken to be off by, in units of rounding of |x| + |y|.
    private const double EvaluationUnits = 4;
    private const int StallIterations = 8;

    /// <summary>x &lt;- the solution for each row of y [B, d]; errors_i says how good row i is.</summary>
    /// <param name="backend">Where the tensors live.</param>
    /// <param name="g">The contraction.</param>
    /// <param name="lipschitz">A bound L of its Lipschitz constant in the 2-norm, below 1.</param>
    /// <param name="name">The block's name, for messages.</param>
    /// <param name="y">The right side.</param>
    /// <param name="x">The solution.</param>
    /// <param name="options">When to stop.</param>
    /// <param name="errors">One entry a row.</param>
    /// <param name="workspace">Temporaries.</param>
    /// <exception cref="ConvergenceException">L is not below 1, a row became non-finite, or the iterations ran out.</exception>
    public static void Solve(
        IBackend backend, ILayer g, double lipschitz, string name, Tensor y, Tensor x, FixedPointOptions options,
        Span<InverseError> errors, Workspace workspace)
    {
        if (!(lipschitz < 1))
        {
            throw new ConvergenceException(
                $"{name}: its branch is only known to be {lipschitz:G5}-Lipschitz, so x + g(x) may have no inverse; " +
                "train with a smaller coefficient, or prove a bound below 1 (certify).");
        }

        double factor = lipschitz / (1 - lipschitz);
        double unit = backend.Precision == Precision.Float32 ? Math.ScaleB(1, -24) : Math.ScaleB(1, -53);
        WorkspaceMark mark = workspace.Mark();
        int rows = y.Rows, width = y.Columns;
        Tensor current = workspace.Rent(rows, width), next = workspace.Rent(rows, width), target = workspace.Rent(rows, width);
        Tensor moved = workspace.Rent(rows, 1), size = workspace.Rent(rows, 1);
        backend.Copy(y, current);
        backend.Copy(y, target);
        int[] rowOf = [.. Enumerable.Range(0, rows)];
        var best = new double[rows];
        var sinceBest = new int[rows];
        Array.Fill(best, double.PositiveInfinity);
        var movedHost = new double[rows];
        var sizeHost = new double[rows];
        var rightSize = new double[rows];
        backend.RowDots(1, y, y, 0, size);
        backend.Download(size, rightSize);
        int active = rows;
        for (int iteration = 1; active > 0; iteration++)
        {
            // Rows in progress are kept together at the top, so that finished ones cost nothing.
            Tensor old = current.RowRange(0, active), now = next.RowRange(0, active), right = target.RowRange(0, active);
            g.Forward(old, now, workspace);
            backend.Axpby(1, right, -1, now);
            backend.RowDots(1, now, now, 0, size.RowRange(0, active));
            backend.Axpby(-1, now, 1, old);
            backend.RowDots(1, old, old, 0, moved.RowRange(0, active));
            backend.Download(moved.RowRange(0, active), movedHost.AsSpan(0, active));
            backend.Download(size.RowRange(0, active), sizeHost.AsSpan(0, active));
            (current, next) = (next, current);
            for (int i = active - 1; i >= 0; i--)
            {
                double step = Math.Sqrt(movedHost[i]);
                int row = rowOf[i];
                if (!double.IsFinite(step))
                {
                    throw new ConvergenceException($"{name}: row {row} became non-finite in iteration {iteration} of the inverse.");
                }

                sinceBest[i] = step < best[i] ? 0 : sinceBest[i] + 1;
                best[i] = Math.Min(best[i], step);
                double bound = factor * step;
                double rounding = unit * Math.Sqrt(width) * (Math.Sqrt(sizeHost[i]) + Math.Sqrt(rightSize[row])) / (1 - lipschitz);
                bool stalled = sinceBest[i] >= StallIterations && step <= NoiseUnits * rounding;
                if (bound <= options.Tolerance || stalled)
                {
                    backend.Copy(current.RowRange(i, 1), x.RowRange(row, 1));
                    double withRounding = bound + (EvaluationUnits * rounding);
                    errors[row] = new InverseError(iteration, step, withRounding, withRounding);
                    active--;
                    if (i < active)
                    {
                        backend.Copy(current.RowRange(active, 1), current.RowRange(i, 1));
                        backend.Copy(target.RowRange(active, 1), target.RowRange(i, 1));
                        (rowOf[i], best[i], sinceBest[i]) = (rowOf[active], best[active], sinceBest[active]);
                    }
                }
            }

            if (active > 0 && iteration == options.MaximumIterations)
            {
                throw new ConvergenceException(
                    $"{name}: after {iteration} iterations the error bound of {active} rows is still above {options.Tolerance:G3} " +
                    $"(row {rowOf[0]}: {factor * best[0]:G3}); allow more iterations, a larger tolerance, or train with a smaller coefficient.");
            }
        }

        workspace.Release(mark);
    }
}
