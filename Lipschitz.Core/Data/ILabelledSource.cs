using Lipschitz.Randomness;

namespace Lipschitz.Data;

/// <summary>A source whose rows may belong to classes.</summary>
public interface ILabelledSource : IPointSource
{
    /// <summary>The number of classes; 0 where there are no labels.</summary>
    int Classes { get; }

    /// <summary>labels &lt;- the classes of the rows that <see cref="IPointSource.Sample"/> gives for the same key and first row.</summary>
    /// <exception cref="InvalidOperationException">There are no labels.</exception>
    void Labels(RandomKey key, long firstRow, Span<int> labels);
}
