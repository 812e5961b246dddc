using Lipschitz.LogDet;

namespace Lipschitz.Flows;

/// <summary>Log-densities of a set of points.</summary>
/// <param name="Values">log p(x), in nats, one a point.</param>
/// <param name="StandardErrors">The standard error of each value over repeats; null where the value is not random or was drawn once.</param>
/// <param name="Kind">Whether the values are exact, unbiased or biased.</param>
public sealed record LogProbResult(double[] Values, double[]? StandardErrors, LogDetKind Kind);

/// <summary>The inverse of a set of points.</summary>
/// <param name="Points">x, row by row.</param>
/// <param name="Iterations">Fixed-point iterations of each row, summed over blocks.</param>
/// <param name="Residuals">The largest residual of each row.</param>
/// <param name="ErrorBounds">
/// A bound of |x - F^-1(z)|_2 of each row, carried back through all blocks: it multiplies their worst cases 1/(1 - L), so for many
/// blocks with L near 1 it is far above the error.
/// </param>
/// <param name="BlockErrorBounds">The largest bound of a single block's own inverse of each row: what the tolerance is about.</param>
public sealed record InverseReport(double[] Points, int[] Iterations, double[] Residuals, double[] ErrorBounds, double[] BlockErrorBounds);
