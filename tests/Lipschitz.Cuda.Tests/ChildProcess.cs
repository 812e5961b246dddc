using System.Diagnostics;

namespace Lipschitz.Cuda.Tests;

/// <summary>A program that a test runs to its end.</summary>
internal static class ChildProcess
{
    /// <summary>Runs a program and waits for it.</summary>
    /// <returns>Its exit code, and what it wrote.</returns>
    public static (int ExitCode, string Text) Run(string program, string[] arguments, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
