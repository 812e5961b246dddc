using System.CommandLine;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz bench gemm</c> and <c>lipschitz bench step</c>.</summary>
internal static class BenchCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell) => new("bench", "Measure the speed of this machine.");
}
