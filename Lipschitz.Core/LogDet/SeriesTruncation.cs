namespace Lipschitz.LogDet;

/// <summary>The error of the cut power series of log det(I + J).</summary>
public static class SeriesTruncation
{
    /// <summary>
    /// <c>|log det(I + J) - sum of n terms| &lt;= d L^(n+1) / ((n+1)(1 - L))</c> for |J|_2 &lt;= L &lt; 1, in nats (Behrmann et al. 2019,
    /// theorem 3).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">L is not in [0, 1).</exception>
    public static double Bound(int dimension, int terms, double lipschitz)
    {
        if (!(lipschitz >= 0 && lipschitz < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(lipschitz), lipschitz, "The series converges for Lipschitz constants in [0, 1).");
        }

        double next = terms + 1.0; // the first term that is cut, beyond an int after its largest
        return dimension * Math.Pow(lipschitz, next) / (next * (1 - lipschitz));
    }
}
