namespace Lipschitz.Flows;

/// <summary>An iteration that did not reach its tolerance; the message says where, how far it came and what to change.</summary>
public sealed class ConvergenceException : Exception
{
    /// <summary>Makes the exception.</summary>
    public ConvergenceException(string message)
        : base(message)
    {
    }
}
