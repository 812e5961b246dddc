namespace Lipschitz.Backends;

/// <summary>
/// The right factor [inner, columns] of many products, in whatever order of memory its backend multiplies fastest.
/// Filled once a step by <see cref="IBackend.Pack"/>, used by some ten products.
/// </summary>
/// <param name="inner">Rows of the matrix: the inner length of the product.</param>
/// <param name="columns">Columns of the matrix.</param>
public abstract class PackedMatrix(int inner, int columns)
{
    /// <summary>Rows of the matrix: the inner length of the product.</summary>
    public int Inner { get; } = inner;

    /// <summary>Columns of the matrix and of the product.</summary>
    public int Columns { get; } = columns;
}
