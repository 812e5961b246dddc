using Lipschitz.LogDet;

namespace Lipschitz.Flows;

/// <summary>Log-densities of a set of points.</summary>
/// <param name="Values">log p(x), in nats, one a point.</param>
/// <param name="StandardErrors">The standard error of each value over repeats; null where the value is not random or was drawn once.</param>
/// <param name="Kind">Whether the values are exact, unbiased or biased.</param>
public sealed record LogProbResult(double[] Values, double[]? StandardErrors, LogDetKind Kind)
{
    /// <summary>
    /// The mean over the points of each repeat; null where the values are not random or were drawn once. All points of a repeat share the
    /// numbers of terms of a roulette, so that the error of a mean shows only in how these vary.
    /// </summary>
    public double[]? RepeatMeans { get; init; }

    /// <summary>Averages independent estimates.</summary>
    /// <param name="draws">The estimates of all points of the first repeat, then of the next.</param>
    /// <param name="repeats">Their number, at least 1; 1 where estimates are not random.</param>
    /// <param name="kind">What each estimate is.</param>
    internal static LogProbResult OfDraws(double[] draws, int repeats, LogDetKind kind)
    {
        int points = draws.Length / repeats;
        bool isRandom = repeats > 1;
        var values = new double[points];
        var errors = new double[isRandom ? points : 0];
        for (int i = 0; i < points; i++)
        {
            double sum = 0, squares = 0;
            for (int draw = i; draw < draws.Length; draw += points)
            {
                sum += draws[draw];
                squares += draws[draw] * draws[draw];
            }

            double mean = sum / repeats;
            values[i] = mean;
            if (isRandom)
            {
                errors[i] = Math.Sqrt(Math.Max(0, (squares / repeats) - (mean * mean)) / (repeats - 1));
            }
        }

        return new LogProbResult(values, isRandom ? errors : null, kind)
        {
            RepeatMeans = isRandom && points > 0 ? [.. draws.Chunk(points).Select(run => run.Average())] : null,
        };
    }
}

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
