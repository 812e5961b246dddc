namespace Lipschitz.Flows;

/// <summary>What is known about the inverse of one row.</summary>
/// <param name="Iterations">Fixed-point iterations, summed over blocks.</param>
/// <param name="Residual">The largest |F(x) - y|_2 left in a block at its last step.</param>
/// <param name="Bound">
/// A bound of |x - F^-1(y)|_2 from the a-posteriori bounds of all blocks, in exact arithmetic but for an allowance for the rounding of one
/// evaluation of each branch (see <see cref="FixedPointInverse"/>); so it may end a little above the tolerance. The rounding of ActNorm and
/// other closed inverses is not in it.
/// </param>
/// <param name="BlockBound">The largest bound of a single block's inverse for the right side that it was given.</param>
public readonly record struct InverseError(int Iterations, double Residual, double Bound, double BlockBound);

/// <summary>When a fixed-point inverse stops.</summary>
/// <param name="Tolerance">The error bound of each block at which a row is done.</param>
/// <param name="MaximumIterations">Iterations after which the inverse has failed.</param>
public readonly record struct FixedPointOptions(double Tolerance = 1e-5, int MaximumIterations = 2000)
{
    /// <summary>The defaults.</summary>
    public FixedPointOptions()
        : this(1e-5, 2000)
    {
    }
}
