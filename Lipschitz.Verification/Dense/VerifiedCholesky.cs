using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Dense;

/// <summary>
/// Proves <c>s I - G</c> positive semidefinite for a real symmetric G of which a floating-point matrix within a known distance is at
/// hand: one floating-point Cholesky factorisation that runs to its end.
/// </summary>
/// <remarks>
/// <para>
/// If Cholesky of a floating-point matrix M of size n ends with positive pivots, then <c>M + E</c> is positive semidefinite for some
/// <c>|E|_2 &lt;= gamma_{n+1}/(1 - gamma_{n+1}) tr M</c> plus underflow: Higham 2002, theorem 10.3 gives |E| &lt;= gamma_{n+1} |R'||R|
/// for every order of summation, Demmel's step bounds that by gamma/(1-gamma) d d' with d_i^2 = m_ii, and |d d'|_2 = tr M
/// (S. M. Rump, Verification of positive definiteness, BIT 46, 2006).
/// </para>
/// <para>
/// M has the off-diagonal entries of -G^, exactly, and a diagonal at most <c>s - G^_ii - c</c>. So
/// <c>s I - G = (s I - G^ - c I) + c I + (G^ - G)</c> is at least <c>c - gamma/(1-gamma) tr M - |G^ - G|_2 &gt;= 0</c> by the choice of c.
/// The numbers must be scaled to about 1, so that underflow is below <see cref="FloatingPoint.UnderflowAllowance"/>.
/// </para>
/// </remarks>
internal static class VerifiedCholesky
{
    /// <summary>c for given s: the Cholesky error, the distance of G^ from G, and underflow; rounded up.</summary>
    public static double Allowance(SymmetricMatrix gram, double s, double distance)
    {
        double trace = 0;
        for (int i = 0; i < gram.Size; i++)
        {
            trace = Outward.AddUp(trace, Math.Max(0, Outward.SubtractUp(s, gram[i, i])));
        }

        double gamma = FloatingPoint.Gamma(gram.Size + 1L);
        double factor = Outward.DivideUp(gamma, Outward.SubtractDown(1, gamma));
        return Outward.AddUp(Outward.AddUp(Outward.MultiplyUp(factor, trace), distance), FloatingPoint.UnderflowAllowance);
    }

    /// <summary>Whether the factorisation proves <c>G &lt;= s I</c>; false says nothing. Overwrites <paramref name="work"/>.</summary>
    /// <param name="gram">G^, scaled so that its entries are at most about 2^20.</param>
    /// <param name="s">The claimed bound of the largest eigenvalue of G.</param>
    /// <param name="distance">At least |G^ - G|_2.</param>
    /// <param name="work">Room of the same size.</param>
    /// <param name="parallel">Whether to use several threads.</param>
    public static bool Proves(SymmetricMatrix gram, double s, double distance, SymmetricMatrix work, bool parallel)
    {
        FloatingPoint.ThrowUnlessIeee();
        double c = Allowance(gram, s, distance);
        for (int i = 0; i < gram.Size; i++)
        {
            ReadOnlySpan<double> from = gram.Row(i)[..i];
            System.Numerics.Tensors.TensorPrimitives.Negate(from, work.Row(i)[..i]);
            double diagonal = Outward.SubtractDown(Outward.SubtractDown(s, gram[i, i]), c);
            if (!(diagonal > 0))
            {
                return false;
            }

            work[i, i] = diagonal;
        }

        return work.TryFactor(parallel);
    }
}
