namespace Lipschitz.Names;

/// <summary>A name that is none of the known ones; the one-line message lists those and the nearest match.</summary>
public sealed class UnknownNameException : ArgumentException
{
    /// <summary>Makes the exception: "unknown data set 'mons'; did you mean 'moons'? known: moons, circles".</summary>
    /// <param name="kind">What was named, such as "data set".</param>
    /// <param name="name">The unknown name.</param>
    /// <param name="known">All valid names, in the order in which to list them.</param>
    public UnknownNameException(string kind, string name, IReadOnlyList<string> known)
        : base(Describe(kind, name, known))
    {
        Name = name;
        Known = known;
        Suggestion = Suggest.Nearest(name, known);
    }

    /// <summary>The unknown name.</summary>
    public string Name { get; }

    /// <summary>All valid names.</summary>
    public IReadOnlyList<string> Known { get; }

    /// <summary>The valid name nearest to the unknown one, or null where none is near.</summary>
    public string? Suggestion { get; }

    private static string Describe(string kind, string name, IReadOnlyList<string> known)
    {
        string question = Suggest.Nearest(name, known) is { } nearest ? $" did you mean '{nearest}'?" : "";
        return $"unknown {kind} '{Printable.Line(name, 100)}';{question} known: {string.Join(", ", known)}";
    }
}
