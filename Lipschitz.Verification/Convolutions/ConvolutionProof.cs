namespace Lipschitz.Verification.Convolutions;

/// <summary>How a bound of a convolution was proven.</summary>
public enum ConvolutionMethod
{
    /// <summary>All weights are zero.</summary>
    Zero,

    /// <summary>Cholesky on the explicit zero-padded operator.</summary>
    Explicit,

    /// <summary>Cholesky at every frequency of a circular convolution that contains the zero-padded one.</summary>
    Grid,

    /// <summary>Cholesky at every frequency of a grid, and M. Riesz's inequality between them: holds for every image size.</summary>
    EverySize,
}

/// <summary><c>|T|_2 &lt;= Bound</c> for the zero-padded convolution T, and what to do to see it again.</summary>
/// <param name="Bound">The proven bound.</param>
/// <param name="Method">How.</param>
/// <param name="Grid">The frequencies, for the methods that have some.</param>
/// <param name="GridBound">At least the largest norm of the symbol on the grid; equals <paramref name="Bound"/> except for every size.</param>
/// <param name="Frequencies">How many were proven, one of each opposite pair.</param>
/// <param name="SymbolError">What was added for the rounding of the symbol, relative to 2^Exponent.</param>
/// <param name="Exponent">Weights were divided by 2^Exponent.</param>
public sealed record ConvolutionProof(
    double Bound, ConvolutionMethod Method, FrequencyGrid? Grid, double GridBound, int Frequencies, double SymbolError, int Exponent);
