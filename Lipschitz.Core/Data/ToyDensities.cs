using Lipschitz.Names;

namespace Lipschitz.Data;

/// <summary>The table of all toy densities; a new one is a new row here.</summary>
public static class ToyDensities
{
    /// <summary>Every toy density, in the order in which to list them.</summary>
    public static IReadOnlyList<ToyDensity> All { get; } = Array.AsReadOnly<ToyDensity>(
    [
        new Moons(),
        new Circles(),
        new Checkerboard(),
        new EightGaussians(),
        new Pinwheel(),
        new TwoSpirals(),
        new SwissRoll(),
        new Rings(),
    ]);

    /// <summary>The toy density called <paramref name="name"/>, exactly.</summary>
    /// <exception cref="UnknownNameException">There is none; the message lists the names and the nearest match.</exception>
    public static ToyDensity Find(string name) =>
        All.FirstOrDefault(density => density.Name == name)
        ?? throw new UnknownNameException("data set", name, [.. All.Select(density => density.Name)]);
}
