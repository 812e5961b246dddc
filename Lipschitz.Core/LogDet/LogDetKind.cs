namespace Lipschitz.LogDet;

/// <summary>What a log-determinant's value is.</summary>
public enum LogDetKind
{
    /// <summary>The determinant itself, up to rounding.</summary>
    Exact,

    /// <summary>Random with the right mean.</summary>
    Unbiased,

    /// <summary>A cut series: off by up to <see cref="SeriesTruncation.Bound"/>.</summary>
    Biased,
}
