namespace Lipschitz.Cli;

/// <summary>Training became non-finite.</summary>
internal sealed class DivergedException(string message, Exception cause) : Exception(message, cause);
