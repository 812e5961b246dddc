namespace Lipschitz.LogDet;

/// <summary>The distribution of the number of roulette terms.</summary>
public enum TailDistribution
{
    /// <summary>Geometric on 1, 2, ..: P(N &gt;= k) = (1 - p)^(k-1).</summary>
    Geometric,

    /// <summary>Poisson on 0, 1, ...</summary>
    Poisson,
}
