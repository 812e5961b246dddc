namespace Lipschitz.Training;

/// <summary>
/// How many bits a number of a picture costs: <c>-(log p(x) - D ln 256) / (D ln 2)</c> for a picture x of D numbers of eight bits each,
/// dequantised to [0, 1). An upper bound, in the mean over the dequantisation, of what the discrete picture costs (Theis et al. 2016).
/// </summary>
/// <param name="Value">Bits per dimension.</param>
/// <param name="StandardError">Of that mean over pictures.</param>
public readonly record struct BitsPerDim(double Value, double StandardError)
{
    private const double Levels = 256;

    /// <summary>From a mean of -log p(x) and its standard error, in nats, over pictures of <paramref name="dimensions"/> numbers.</summary>
    public static BitsPerDim Of(double negativeLogLikelihood, double standardError, int dimensions) =>
        new(FromNats(negativeLogLikelihood, dimensions), Difference(standardError, dimensions));

    /// <summary>The bits per dimension that -log p(x) in nats is.</summary>
    public static double FromNats(double negativeLogLikelihood, int dimensions) =>
        (negativeLogLikelihood + (dimensions * Math.Log(Levels))) / (dimensions * Math.Log(2));

    /// <summary>The bits per dimension that a difference in nats is.</summary>
    public static double Difference(double nats, int dimensions) => nats / (dimensions * Math.Log(2));
}
