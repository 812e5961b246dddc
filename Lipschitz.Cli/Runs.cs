using Lipschitz.Checkpoints;
using Lipschitz.Models;

namespace Lipschitz.Cli;

/// <summary>Opens the run that a command line names.</summary>
internal static class Runs
{
    /// <summary>The run in <paramref name="path"/>.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static RunDirectory Open(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new InputException(File.Exists(path) ? $"{path} is a file, expected the directory of a run" : $"there is no run {path}");
        }

        try
        {
            return RunDirectory.Open(path);
        }
        catch (ConfigurationException damage)
        {
            throw new InputException(damage.Message, damage);
        }
        catch (Exception refusal) when (refusal is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{path} is not a run: it has no config.json", refusal);
        }
    }
}
