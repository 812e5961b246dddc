using Lipschitz.Checkpoints;

namespace Lipschitz.Cli;

/// <summary>Opens the run that a command line names.</summary>
internal static class Runs
{
    /// <summary>The run in <paramref name="path"/>.</summary>
    /// <exception cref="InputException">There is no such folder.</exception>
    /// <exception cref="CheckpointFormatException">It holds no run, or a damaged one.</exception>
    public static RunDirectory Open(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new InputException(File.Exists(path) ? $"{path} is a file, expected the directory of a run" : $"there is no run {path}");
        }

        return RunDirectory.Open(path);
    }
}
