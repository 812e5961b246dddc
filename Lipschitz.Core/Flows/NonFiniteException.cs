namespace Lipschitz.Flows;

/// <summary>A NaN or infinity; the message names where it first appeared.</summary>
public sealed class NonFiniteException : Exception
{
    /// <summary>Makes the exception.</summary>
    public NonFiniteException(string message)
        : base(message)
    {
    }
}
