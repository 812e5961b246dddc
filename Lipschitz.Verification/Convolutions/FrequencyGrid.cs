using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Convolutions;

/// <summary>
/// The frequencies <c>2 pi (j + s/2)/N</c>, j = 0..N-1, on each axis: those of a circular convolution on Rows x Columns points whose
/// wrapped values carry the phase pi s.
/// </summary>
/// <param name="Rows">N of the rows.</param>
/// <param name="Columns">N of the columns.</param>
/// <param name="RowTwist">s of the rows, 0 or 1.</param>
/// <param name="ColumnTwist">s of the columns, 0 or 1.</param>
public readonly record struct FrequencyGrid(int Rows, int Columns, int RowTwist, int ColumnTwist)
{
    /// <summary>One of each pair of opposite frequencies: real kernels have equal norms at both.</summary>
    public IEnumerable<(int Row, int Column)> Half()
    {
        for (int j = 0; j < Rows; j++)
        {
            for (int k = 0; k < Columns; k++)
            {
                int opposite = ((2 * Rows) - j - RowTwist) % Rows, oppositeColumn = ((2 * Columns) - k - ColumnTwist) % Columns;
                if ((j, k).CompareTo((opposite, oppositeColumn)) <= 0)
                {
                    yield return (j, k);
                }
            }
        }
    }

    /// <summary>
    /// Encloses cos and sin of the phase of tap (a, b) at frequency (j, k): <c>pi (2j + s)a/N + pi (2k + s)b/M</c>, as one rational
    /// multiple of pi.
    /// </summary>
    public (Interval Cos, Interval Sin) Phase(int j, int k, int a, int b) => IntervalFunctions.CosSinPi(
        (((2L * j) + RowTwist) * a * Columns) + (((2L * k) + ColumnTwist) * b * Rows), (long)Rows * Columns);
}
