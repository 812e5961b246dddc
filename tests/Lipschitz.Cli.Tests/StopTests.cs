using System.Diagnostics;

namespace Lipschitz.Cli.Tests;

/// <summary>Signals that end the process.</summary>
public sealed class StopTests : IDisposable
{
    private readonly CommandLine _line = new();

    public void Dispose() => _line.Dispose();

    [Fact]
    public void A_signal_is_passed_on_once_and_only_while_something_listens()
    {
        using var stop = new StopRequest();
        Assert.False(stop.Take());
        bool[] taken = stop.Listen(token => new[] { token.IsCancellationRequested, stop.Take(), token.IsCancellationRequested, stop.Take() });
        Assert.Equal([false, true, true, false], taken);
        Assert.False(stop.Take());
    }

    [Fact]
    public void A_signal_ends_a_command_that_has_nothing_to_save()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "needs kill");
        string run = _line.TrainTiny("run", "--set", "evaluation.logDet.method=Roulette");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string arg in new[] { typeof(Program).Assembly.Location, "eval", run, "--points", "2", "--repeats", "10000000", "--threads", "1" })
        {
            start.ArgumentList.Add(arg);
        }

        using Process process = Process.Start(start)!;
        try
        {
            while (!process.HasExited && process.TotalProcessorTime < TimeSpan.FromSeconds(2))
            {
                Thread.Sleep(50);
                process.Refresh();
            }

            Assert.False(process.HasExited, "it ended by itself");
            Process.Start("kill", ["-TERM", $"{process.Id}"]).WaitForExit();
            Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)), "it still runs");
            Assert.Equal(143, process.ExitCode);
        }
        finally
        {
            process.Kill();
        }
    }
}
