namespace Lipschitz.Backends;

/// <summary>A device failed: out of memory, a kernel that did not run, a library's refusal.</summary>
public class BackendException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">The call at fault, its status, the sizes, and what to do.</param>
    /// <param name="inner">The cause, if any.</param>
    public BackendException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A back end cannot be opened on this machine.</summary>
public sealed class BackendUnavailableException : BackendException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is missing, and what to do.</param>
    /// <param name="inner">The cause, if any.</param>
    public BackendUnavailableException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
