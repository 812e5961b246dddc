using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>
/// A finite set of points, a tenth of them (every tenth row) held out for testing; batches are drawn from the rest with replacement.
/// </summary>
public sealed class ArrayPoints : IPointSource
{
    private const int HeldOutEvery = 10;
    private readonly double[] _training;
    private readonly double[] _test;

    /// <summary>Copies the points.</summary>
    /// <param name="points">Points [n, width], row by row; at least 20 rows.</param>
    /// <param name="width">Columns of a point.</param>
    /// <exception cref="ArgumentException">Too few rows, a ragged last row, or a number that is not finite.</exception>
    public ArrayPoints(ReadOnlySpan<double> points, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        int rows = points.Length / width;
        if (points.Length % width != 0 || rows < 2 * HeldOutEvery)
        {
            throw new ArgumentException($"{points.Length} numbers in rows of {width}: at least {2 * HeldOutEvery} whole rows are needed.", nameof(points));
        }

        Width = width;
        int held = rows / HeldOutEvery;
        _test = new double[held * width];
        _training = new double[(rows - held) * width];
        int test = 0, training = 0;
        for (int i = 0; i < rows; i++)
        {
            ReadOnlySpan<double> row = points.Slice(i * width, width);
            foreach (double value in row)
            {
                if (!double.IsFinite(value))
                {
                    throw new ArgumentException($"Row {i} holds {value}; every number must be finite.", nameof(points));
                }
            }

            bool isHeld = i % HeldOutEvery == HeldOutEvery - 1;
            row.CopyTo(isHeld ? _test.AsSpan(width * test++) : _training.AsSpan(width * training++));
        }
    }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int? TrainingRows => _training.Length / Width;

    /// <inheritdoc/>
    public int? TestRows => _test.Length / Width;

    /// <inheritdoc/>
    public int? RowsPerEpoch => null;

    /// <inheritdoc/>
    public double? Entropy => null;

    /// <summary>Which row of the points is row <paramref name="row"/> of the test set, both counted from 0.</summary>
    public static long HeldOutRow(long row) => (HeldOutEvery * (row + 1)) - 1;

    /// <inheritdoc/>
    public void Sample(RandomKey key, long firstRow, Span<double> points)
    {
        bool isTest = key.Purpose == RandomPurpose.TestData;
        double[] source = isTest ? _test : _training;
        int rows = source.Length / Width;
        for (int i = 0; i < points.Length / Width; i++)
        {
            long row = firstRow + i;
            int index = isTest ? (int)(row % rows) : new RandomSource(key, (uint)row).NextInt(rows);
            source.AsSpan(index * Width, Width).CopyTo(points[(i * Width)..]);
        }
    }
}
