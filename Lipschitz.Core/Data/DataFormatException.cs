using Lipschitz.Names;

namespace Lipschitz.Data;

/// <summary>A data file that cannot be used; the one-line message names the file, what is wrong and what to do.</summary>
public sealed class DataFormatException : IOException
{
    /// <summary>Makes the exception with the message "path: reason".</summary>
    public DataFormatException(string path, string reason)
        : base(Printable.Line($"{path}: {reason}"))
    {
        Path = path;
        Reason = reason;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What is wrong with it and what to do.</summary>
    public string Reason { get; }
}
