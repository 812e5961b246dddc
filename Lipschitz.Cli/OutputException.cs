using Lipschitz.Checkpoints;
using Lipschitz.Data;

namespace Lipschitz.Cli;

/// <summary>An output that cannot be written.</summary>
internal sealed class OutputException(string path, Exception cause)
    : Exception($"cannot write {path}: {cause.Message}", cause)
{
    /// <summary>Runs something that writes, so that a refusal of the file system says what was to be written.</summary>
    public static T Guard<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception refusal) when (IsRefusal(refusal))
        {
            throw new OutputException(path, refusal);
        }
    }

    private static bool IsRefusal(Exception failure) => failure is UnauthorizedAccessException or NotSupportedException
        || failure is IOException and not (DataFormatException or CheckpointFormatException);

    /// <inheritdoc cref="Guard{T}"/>
    public static void Guard(string path, Action write) => Guard(path, () =>
    {
        write();
        return true;
    });
}
