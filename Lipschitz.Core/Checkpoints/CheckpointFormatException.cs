using Lipschitz.Names;

namespace Lipschitz.Checkpoints;

/// <summary>A checkpoint that is damaged or not one at all; the one-line message names the file and what is wrong.</summary>
public sealed class CheckpointFormatException : IOException
{
    /// <summary>Makes the exception with the message "path: reason".</summary>
    public CheckpointFormatException(string path, string reason)
        : base(Printable.Line($"{path}: {reason}"))
    {
        Path = path;
        Reason = reason;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; }
}
