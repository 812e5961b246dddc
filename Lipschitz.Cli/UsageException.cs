using Lipschitz.Tensors;

namespace Lipschitz.Cli;

/// <summary>The command line asks for something that does not exist or does not go together.</summary>
internal sealed class UsageException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Makes what the settings describe, so that settings that do not fit each other or the data are a wrong usage.</summary>
    public static T Guard<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (Exception refusal) when (refusal is ShapeMismatchException or NotSupportedException)
        {
            throw new UsageException(refusal.Message, refusal);
        }
    }
}
