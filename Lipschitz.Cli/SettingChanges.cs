using Lipschitz.Models;

namespace Lipschitz.Cli;

/// <summary>What --set changes in a preset.</summary>
internal static class SettingChanges
{
    /// <summary>Applies assignments key=value.</summary>
    /// <param name="configuration">The preset, with what the rest of the command line says.</param>
    /// <param name="assignments">The values of --set.</param>
    /// <param name="elsewhere">
    /// Keys that the command line has another place for, and that place; changed here they would say one thing where the command does another.
    /// </param>
    /// <exception cref="UsageException">An assignment is of such a key.</exception>
    /// <exception cref="ConfigurationException">A key is unknown or ambiguous, or a value does not fit.</exception>
    public static Configuration Apply(Configuration configuration, string[]? assignments, IReadOnlyDictionary<string, string> elsewhere)
    {
        foreach (string assignment in assignments ?? [])
        {
            string key = assignment.Split('=')[0];
            if (elsewhere.TryGetValue(key, out string? place))
            {
                throw new UsageException($"--set {assignment}: {key} is given as {place}, not by --set");
            }
        }

        return ConfigurationJson.Override(configuration, assignments ?? []);
    }
}
