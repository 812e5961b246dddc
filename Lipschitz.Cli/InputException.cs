namespace Lipschitz.Cli;

/// <summary>An input file or run that cannot be opened.</summary>
internal sealed class InputException(string message, Exception? cause = null) : Exception(message, cause);
