using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>A density in the plane that can be sampled without end.</summary>
/// <remarks>
/// The sets and their constants are those of Grathwohl et al., "FFJORD" (2019), and Chen et al., "Residual Flows" (2019), which
/// follow scikit-learn; but points are drawn one by one instead of spread evenly over each curve, so that they are independent.
/// </remarks>
public abstract class ToyDensity : IPointSource
{
    /// <summary>The name to give on the command line or in a configuration.</summary>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public int Width => 2;

    /// <summary>
    /// The differential entropy -E log p, in nats, to the digits given, or null where it was not computed. No model's negative
    /// log-likelihood can be lower.
    /// </summary>
    public virtual double? Entropy => null;

    /// <inheritdoc/>
    public int? TrainingRows => null;

    /// <inheritdoc/>
    public int? TestRows => null;

    /// <inheritdoc/>
    public int? RowsPerEpoch => null;

    /// <summary>points ← samples <paramref name="firstRow"/>, <paramref name="firstRow"/> + 1, …, as x0, y0, x1, y1, ….</summary>
    /// <param name="key">The address of the random numbers.</param>
    /// <param name="firstRow">The number of the first sample; sample r is a function of the key and of r only.</param>
    /// <param name="points">Where to write, of shape [samples, 2].</param>
    /// <exception cref="ArgumentException"><paramref name="points"/> has odd length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A row is negative or not below 2^32.</exception>
    public void Sample(RandomKey key, long firstRow, Span<double> points)
    {
        if (points.Length % 2 != 0)
        {
            throw new ArgumentException($"Sample: points has length {points.Length}, expected x, y pairs.", nameof(points));
        }

        int count = points.Length / 2;
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstRow, (1L << 32) - count);
        for (int i = 0; i < count; i++)
        {
            var random = new RandomSource(key, (uint)(firstRow + i));
            (points[2 * i], points[(2 * i) + 1]) = Point(ref random);
        }
    }

    /// <summary>One sample, from the numbers of its own row.</summary>
    protected abstract (double X, double Y) Point(ref RandomSource random);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
