using Lipschitz.Data;

namespace Lipschitz.Cli;

/// <summary>An input file or run that cannot be opened.</summary>
internal sealed class InputException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Runs something that reads, so that a refusal of the file system says what was to be read.</summary>
    public static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception refusal) when (refusal is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"there is no file {path}", refusal);
        }
        catch (Exception refusal) when (refusal is UnauthorizedAccessException or IOException and not DataFormatException)
        {
            throw new InputException($"cannot read {path}: {refusal.Message}", refusal);
        }
    }
}
