using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Branches;

/// <summary>A matrix of intervals [Rows, Columns], row by row.</summary>
internal sealed class IntervalMatrix(int rows, int columns)
{
    private readonly Interval[] _values = new Interval[(long)rows * columns];

    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    public ref Interval this[int i, int j] => ref _values[(i * Columns) + j];

    public Span<Interval> Row(int i) => _values.AsSpan(i * Columns, Columns);

    /// <summary>The middles, as an unproven matrix.</summary>
    public MathNet.Numerics.LinearAlgebra.Matrix<double> Middle() =>
        MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(Rows, Columns, (i, j) => this[i, j].Middle);

    /// <summary>target += factor * row, where row is not zero.</summary>
    public static void AddMultiple(Span<Interval> target, Interval factor, ReadOnlySpan<Interval> row)
    {
        for (int k = 0; k < row.Length; k++)
        {
            Interval x = row[k];
            if (x.Lower != 0 || x.Upper != 0)
            {
                target[k] += factor * x;
            }
        }
    }
}
