namespace Lipschitz.Models;

/// <summary>A configuration that cannot be used; the message names the key and what to do.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Makes the exception.</summary>
    public ConfigurationException(string message)
        : base(message)
    {
    }
}
