using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>Something to fit a density to: rows of numbers, drawn by address.</summary>
public interface IPointSource
{
    /// <summary>Columns of a point.</summary>
    int Width { get; }

    /// <summary>The entropy of the density in nats where it is known; no model's negative log-likelihood can be lower.</summary>
    double? Entropy { get; }

    /// <summary>How many different rows there are to train on; null where they never end.</summary>
    int? TrainingRows { get; }

    /// <summary>How many rows are held out; null where they never end.</summary>
    int? TestRows { get; }

    /// <summary>After how many training rows each was seen once; null where rows are drawn independently.</summary>
    int? RowsPerEpoch { get; }

    /// <summary>points &lt;- the samples firstRow, firstRow + 1, .. under a key, row by row; a pure function of key and row.</summary>
    /// <param name="key">Purpose TrainingData draws from what may be trained on, TestData from what is held out.</param>
    /// <param name="firstRow">The number of the first sample.</param>
    /// <param name="points">Where to write, a whole number of rows.</param>
    void Sample(RandomKey key, long firstRow, Span<double> points);
}
