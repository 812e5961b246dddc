using Lipschitz.Names;

namespace Lipschitz.Models;

/// <summary>The configurations that come with the library.</summary>
public static class Presets
{
    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["quick", "idensenet", "idensenet-lc", "resflow"];

    /// <summary>The preset called <paramref name="name"/>.</summary>
    /// <exception cref="UnknownNameException">There is none; the message lists those there are.</exception>
    public static Configuration Load(string name)
    {
        if (!Names.Contains(name))
        {
            throw new UnknownNameException("preset", name, Names);
        }

        using Stream stream = typeof(Presets).Assembly.GetManifestResourceStream($"{name}.json")!;
        using var reader = new StreamReader(stream);
        return ConfigurationJson.Parse(reader.ReadToEnd(), $"preset {name}");
    }
}
