namespace Lipschitz.Verification.Dense;

/// <summary>The checks of matrices at public entry points.</summary>
internal static class MatrixArgument
{
    /// <summary>Throws unless w is [rows, columns] and finite.</summary>
    public static void Throw(ReadOnlySpan<double> w, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        if (w.Length != (long)rows * columns)
        {
            throw new ArgumentException($"A matrix [{rows}, {columns}] has {(long)rows * columns} entries, but {w.Length} were given.");
        }

        for (int k = 0; k < w.Length; k++)
        {
            if (!double.IsFinite(w[k]))
            {
                throw new ArgumentException($"Entry ({k / columns}, {k % columns}) of the matrix [{rows}, {columns}] is {w[k]}: it has no norm.");
            }
        }
    }
}
