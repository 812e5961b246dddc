namespace Lipschitz.Flows;

/// <summary>A NaN or infinity; the message names where it first appeared.</summary>
public sealed class NonFiniteException : Exception
{
    /// <summary>Makes the exception.</summary>
    public NonFiniteException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is not finite.</param>
    /// <param name="row">The first row at fault, from 0.</param>
    public NonFiniteException(string message, long row)
        : base(message) => Row = row;

    /// <summary>The first row at fault, from 0; null where no single one is.</summary>
    public long? Row { get; }
}
