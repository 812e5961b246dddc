namespace Lipschitz.Verification.Dense;

/// <summary>How a bound of a matrix's largest singular value was proven.</summary>
public enum SpectralNormMethod
{
    /// <summary>The matrix is zero.</summary>
    Zero,

    /// <summary>A floating-point Cholesky factorisation of <c>B^2 I - W'W - c I</c> ran to its end.</summary>
    Cholesky,

    /// <summary>Gram iteration with rounding errors carried along.</summary>
    Gram,
}

/// <summary><c>|W|_2 &lt;= Bound</c>, and what to do to see it again.</summary>
/// <param name="Bound">The proven bound.</param>
/// <param name="Method">How.</param>
/// <param name="Estimate">The unproven guess of the norm it started from.</param>
/// <param name="Size">n, the smaller side.</param>
/// <param name="Inner">m, the larger side.</param>
/// <param name="Exponent">Entries were divided by 2^Exponent.</param>
/// <param name="Allowance">c, in the scaled problem; 0 unless <see cref="SpectralNormMethod.Cholesky"/>.</param>
/// <param name="Squarings">Products of Gram iteration; 0 unless <see cref="SpectralNormMethod.Gram"/>.</param>
/// <param name="Factorisations">Cholesky factorisations tried.</param>
public sealed record SpectralNormProof(
    double Bound, SpectralNormMethod Method, double Estimate, int Size, int Inner, int Exponent, double Allowance, int Squarings,
    int Factorisations);
