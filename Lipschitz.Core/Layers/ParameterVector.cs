using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// The trained parameters of a model side by side in one flat [1, n] tensor, so that the optimiser, the gradient norm and the sums
/// over shards are single passes. Making one moves the parameters' values into it.
/// </summary>
public sealed class ParameterVector
{
    // Each parameter starts at a cache line so that shards never share one.
    private const int Alignment = 16;

    /// <summary>Gathers the trained parameters among <paramref name="parameters"/>.</summary>
    public ParameterVector(IBackend backend, IEnumerable<Parameter> parameters)
    {
        Parameters = [.. parameters.Where(p => p.IsTrained)];
        int length = Parameters.Sum(p => Padded(p.Value.Count));
        Values = backend.Allocate(1, Math.Max(length, 1));
        int offset = 0;
        foreach (Parameter parameter in Parameters)
        {
            parameter.MoveTo(backend, Values, offset);
            offset += Padded(parameter.Value.Count);
        }
    }

    /// <summary>The trained parameters in order.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>All values, with zeros between parameters for alignment.</summary>
    public Tensor Values { get; }

    private static int Padded(int count) => (count + Alignment - 1) / Alignment * Alignment;
}
