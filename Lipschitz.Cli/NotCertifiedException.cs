namespace Lipschitz.Cli;

/// <summary>A certificate that could not be given, or does not stand.</summary>
internal sealed class NotCertifiedException(string message) : Exception(message);
