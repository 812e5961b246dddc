using Lipschitz.Randomness;

namespace Lipschitz.LogDet;

/// <summary>How many terms of the power series are taken, and the weight c_k each is given for it.</summary>
public abstract class SeriesLength
{
    /// <summary>Whether the weights make up for the terms left out.</summary>
    public abstract bool IsUnbiased { get; }

    /// <summary>The number of terms of this draw.</summary>
    public abstract int Terms(in DrawAddress draw);

    /// <summary>c_k for k = 1, 2, ...</summary>
    public abstract double Weight(int k);

    /// <summary>The mean number of terms.</summary>
    public abstract double ExpectedTerms { get; }
}

/// <summary>A fixed number of terms, each with weight 1.</summary>
/// <param name="terms">The number of terms.</param>
public sealed class FixedLength(int terms) : SeriesLength
{
    private readonly int _terms = terms > 0 ? terms : throw new ArgumentOutOfRangeException(nameof(terms), terms, "At least one term.");

    /// <inheritdoc/>
    public override bool IsUnbiased => false;

    /// <inheritdoc/>
    public override double ExpectedTerms => _terms;

    /// <inheritdoc/>
    public override int Terms(in DrawAddress draw) => _terms;

    /// <inheritdoc/>
    public override double Weight(int k) => 1;
}

/// <summary>
/// Russian roulette: m exact terms and N random ones, term k &gt; m with weight 1/P(N &gt;= k - m) (Chen et al. 2019, eq. 6; Kahn 1955).
/// One N a block and pass.
/// </summary>
/// <remarks>
/// Unbiased always; but the variance is finite only where the tail of N is heavier than the series is: for a geometric tail L^2 &lt; 1 - p,
/// for a Poisson tail never. That is why the papers take some terms exactly.
/// </remarks>
public sealed class RouletteLength : SeriesLength
{
    // Where tails are cut: the probability of more is below that of any draw of 53 bits.
    private const int ShortestCut = 400;
    private const double SmallestProbability = 0.001;
    private static readonly double s_negligible = Math.ScaleB(1, -60);
    private readonly int _longestTail;
    private readonly TailDistribution _distribution;
    private readonly double _parameter;
    private readonly int _exactTerms;
    private readonly double[] _atLeast; // entry j: P(N >= j)

    /// <summary>Makes the roulette.</summary>
    /// <param name="distribution">The distribution of N.</param>
    /// <param name="parameter">p of the geometric distribution in [0.001, 1), or the mean of the Poisson distribution in (0, 100).</param>
    /// <param name="exactTerms">m.</param>
    public RouletteLength(TailDistribution distribution, double parameter, int exactTerms)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(exactTerms);
        bool valid = distribution == TailDistribution.Geometric ? parameter is >= SmallestProbability and < 1 : parameter is > 0 and < 100;
        if (!valid)
        {
            throw new ArgumentOutOfRangeException(
                nameof(parameter), parameter, "A geometric tail takes a probability in [0.001, 1), a Poisson tail a mean in (0, 100).");
        }

        (_distribution, _parameter, _exactTerms) = (distribution, parameter, exactTerms);
        _longestTail = distribution == TailDistribution.Geometric
            ? Math.Max(ShortestCut, 2 + (int)(Math.Log(s_negligible) / Math.Log(1 - parameter)))
            : ShortestCut;
        _atLeast = new double[_longestTail + 1];
        if (distribution == TailDistribution.Geometric)
        {
            _atLeast[0] = 1;
            for (int j = 1; j <= _longestTail; j++)
            {
                _atLeast[j] = Math.Pow(1 - parameter, j - 1);
            }
        }
        else
        {
            // Summed from the far end, so that small tails keep their digits.
            double logMass = -parameter;
            var mass = new double[(2 * _longestTail) + 1];
            for (int j = 0; j < mass.Length; j++)
            {
                mass[j] = Math.Exp(logMass);
                logMass += Math.Log(parameter / (j + 1));
            }

            double tail = 0;
            for (int j = mass.Length - 1; j >= 0; j--)
            {
                tail += mass[j];
                if (j <= _longestTail)
                {
                    _atLeast[j] = Math.Min(tail, 1);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override bool IsUnbiased => true;

    /// <inheritdoc/>
    public override double ExpectedTerms =>
        _exactTerms + (_distribution == TailDistribution.Geometric ? 1 / _parameter : _parameter);

    /// <inheritdoc/>
    public override int Terms(in DrawAddress draw)
    {
        double u = new RandomSource(draw.Key(RandomPurpose.Roulette)).NextDouble();

        // N >= j exactly when u < P(N >= j).
        int n = 0;
        while (n < _longestTail && u < _atLeast[n + 1])
        {
            n++;
        }

        return _exactTerms + n;
    }

    /// <inheritdoc/>
    public override double Weight(int k) => k <= _exactTerms ? 1 : 1 / _atLeast[Math.Min(k - _exactTerms, _longestTail)];
}
