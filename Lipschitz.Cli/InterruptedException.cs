namespace Lipschitz.Cli;

/// <summary>Ctrl+C was pressed, and everything worth keeping is saved.</summary>
internal sealed class InterruptedException(string message) : Exception(message);
