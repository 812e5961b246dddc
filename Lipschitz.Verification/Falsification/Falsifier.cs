using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;

namespace Lipschitz.Verification.Falsification;

/// <summary>How hard to search.</summary>
/// <param name="Points">Points and pairs to try for each branch.</param>
/// <param name="Seed">Of the random points.</param>
/// <param name="Ascents">Points from which the gradient is followed.</param>
/// <param name="Steps">Steps of each ascent.</param>
public sealed record FalsificationOptions(int Points = 10_000, ulong Seed = 0, int Ascents = 24, int Steps = 60);

/// <summary>A stretch that a search met: no Lipschitz constant of the map can be below it, but for the rounding of its evaluation.</summary>
/// <param name="Value">The stretch.</param>
/// <param name="Method">What found it.</param>
/// <param name="Point">Where.</param>
public sealed record LowerBound(double Value, string Method, double[] Point);

/// <summary>
/// Looks for the largest stretch of a map: spectral norms of the Jacobian at random, far-out and extremal points, difference quotients
/// of pairs, and gradient ascent from the best of them. What it finds sits below every true bound.
/// </summary>
/// <remarks>
/// Use a backend in double precision: then values are off by about 1e-13, and <see cref="Tolerance"/> is ample. The search is the
/// same for the same seed whatever the number of threads.
/// </remarks>
public static class Falsifier
{
    /// <summary>A found stretch above (1 + this) times a bound refutes the bound.</summary>
    public const double Tolerance = 1e-9;

    /// <summary>The largest stretch found of each block's branch.</summary>
    public static IReadOnlyList<LowerBound> Search(Flow flow, FalsificationOptions options)
    {
        ResidualBlock[] blocks = [.. flow.Blocks];
        var found = new LowerBound[blocks.Length];
        flow.Backend.Parallel(blocks.Length, b =>
            found[b] = new BranchSearch(flow.Backend, blocks[b].Branch, flow.Trained.Values.Columns, options, (ulong)b).Run());
        return found;
    }

    /// <summary>
    /// The largest stretch found of any layer with the numbers now in its effective weights, also where those of a loaded flow were scaled; its
    /// parameters' values are moved into one vector.
    /// </summary>
    public static LowerBound Search(ILayer layer, IBackend backend, FalsificationOptions options)
    {
        var parameters = new ParameterVector(backend, layer.Parameters);
        layer.Pack();
        return new BranchSearch(backend, layer, parameters.Values.Columns, options, 0).Run();
    }
}
