namespace Lipschitz.Models;

/// <summary>What a flow of labelled pictures learns.</summary>
public enum TaskKind
{
    /// <summary>Classes alone; no log-determinants are computed.</summary>
    Classification,

    /// <summary>Densities and classes.</summary>
    Hybrid,
}

/// <summary>
/// Learning classes with a head on each scale (Chen et al. 2019, section 5.3). What is minimised, in bits a picture: the cross entropy / ln 2, plus for
/// <see cref="TaskKind.Hybrid"/> the weight times all bits of the picture, <c>bpd * D</c>.
/// </summary>
public sealed record TaskSettings
{
    /// <summary>Classes alone, or densities too.</summary>
    public required TaskKind Kind { get; init; }

    /// <summary>Hybrid: lambda, the weight of a picture's bits against those of its class; 1 counts them alike, 1/D by dimension.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>The number of classes; from the data.</summary>
    public int Classes { get; init; }

    /// <summary>Channels of the head's convolution at each scale.</summary>
    public int HeadChannels { get; init; } = 256;
}
