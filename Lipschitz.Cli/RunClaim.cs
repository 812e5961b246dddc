namespace Lipschitz.Cli;

/// <summary>
/// The right to write to a run, which one process has at a time; given back by Dispose or by the end of the process.
/// </summary>
internal sealed class RunClaim : IDisposable
{
    private readonly FileStream _lock;

    private RunClaim(FileStream file) => _lock = file;

    /// <summary>Takes the right.</summary>
    /// <param name="run">The folder of the run, which need not exist.</param>
    /// <exception cref="UsageException">Another process has it.</exception>
    /// <exception cref="OutputException">The folder above cannot be made or written to.</exception>
    public static RunClaim Take(string run) =>
        TryTake(run) ?? throw new UsageException($"another process is writing to {run}; wait until it has ended, or choose another run");

    /// <summary>Takes the right; null where another process has it.</summary>
    /// <param name="run">The folder of the run, which need not exist.</param>
    /// <exception cref="OutputException">The folder above cannot be made or written to.</exception>
    public static RunClaim? TryTake(string run)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(run)) + ".lock"; // beside it: the folder of a new run is to be empty
        OutputException.Guard(path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return new RunClaim(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose));
            }
            catch (IOException) when (File.Exists(path))
            {
                return null;
            }
            catch (IOException) when (attempt == 0)
            {
                // Whoever had it may have left between the two.
            }
            catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
            {
                throw new OutputException(path, refusal);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();
}
