using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Names;

namespace Lipschitz.Cli;

/// <summary>What the command's exit code says, and which failure has which.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>A failure that nobody foresaw: a bug, a machine out of memory, a device that failed.</summary>
    public const int Unexpected = 1;

    /// <summary>The command line, a name, a setting, or an output that cannot be written.</summary>
    public const int Usage = 2;

    /// <summary>An input or a checkpoint that cannot be read.</summary>
    public const int Data = 3;

    /// <summary>Numbers that are not finite, or an inverse that does not converge.</summary>
    public const int Numerical = 4;

    /// <summary>A certificate that could not be given.</summary>
    public const int NotCertified = 5;

    /// <summary>Stopped by Ctrl+C (128 + SIGINT, as shells say it).</summary>
    public const int Interrupted = 130;

    /// <summary>The lines of <c>lipschitz --help</c> about exit codes.</summary>
    internal static readonly string[] Explanations =
    [
        "0    done",
        "1    unexpected failure, or a device that failed (--verbose shows where)",
        "2    usage: command line, unknown name, setting, a missing back end, or an output that cannot be written",
        "3    data: an input or a checkpoint that cannot be read",
        "4    numerical: values that are not finite, or an inverse that does not converge",
        "5    not certified",
        "130  stopped by Ctrl+C; training, which saves a checkpoint first, and sampling also by SIGTERM (all else: 143)",
    ];

    /// <summary>The exit code of a failure.</summary>
    internal static int Of(Exception failure) => failure switch
    {
        InterruptedException => Interrupted,
        UsageException or OutputException or UnknownNameException or ConfigurationException or BackendUnavailableException => Usage,
        InputException or DataFormatException or CheckpointFormatException or FileNotFoundException or DirectoryNotFoundException => Data,
        NotCertifiedException => NotCertified,
        DivergedException or NonFiniteException or ConvergenceException => Numerical,
        IOException or UnauthorizedAccessException => Usage, // inputs are guarded, so this is an output
        _ => Unexpected,
    };
}
