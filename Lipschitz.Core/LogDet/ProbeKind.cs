namespace Lipschitz.LogDet;

/// <summary>The distribution of Hutchinson's probes.</summary>
public enum ProbeKind
{
    /// <summary>Standard normal.</summary>
    Gaussian,

    /// <summary>Random signs.</summary>
    Rademacher,
}
