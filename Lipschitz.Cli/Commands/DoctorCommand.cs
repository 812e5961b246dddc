using System.CommandLine;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz doctor</c>.</summary>
internal static class DoctorCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        var command = new DocumentedCommand(
            "doctor", "Say what this machine offers: processor, vector width, threads, back ends.", "lipschitz doctor", "lipschitz doctor --json");
        command.SetAction(parse =>
        {
            var result = new
            {
                processor = Processor(),
                architecture = RuntimeInformation.ProcessArchitecture.ToString(),
                vectorBits = VectorBits(),
                instructions = Instructions(),
                threads = Environment.ProcessorCount,
                memoryGiB = Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Math.Pow(2, 30), 1),
                dotnet = Environment.Version.ToString(),
                system = RuntimeInformation.OSDescription,
                backends = new { cpu = "found", reference = "found", cuda = "not installed" },
            };
            shell.Report(parse, result, console =>
            {
                TextWriter text = console.Profile.Out.Writer;
                text.WriteLine($"processor  {result.processor} ({result.architecture})");
                text.WriteLine($"vectors    {result.vectorBits} bits ({result.instructions})");
                text.WriteLine($"threads    {result.threads}");
                text.WriteLine($"memory     {result.memoryGiB:0.0} GiB");
                text.WriteLine($".NET       {result.dotnet} on {result.system}");
                text.WriteLine($"back ends  cpu: {result.backends.cpu}; reference: {result.backends.reference}; cuda: {result.backends.cuda}");
            });
            return ExitCode.Success;
        });
        return command;
    }

    private static string Processor()
    {
        const string table = "/proc/cpuinfo";
        string? line = File.Exists(table)
            ? File.ReadLines(table).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return line is null ? "unknown" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static int VectorBits() =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 64;

    private static string Instructions() =>
        Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported && Fma.IsSupported ? "AVX2, FMA" : "portable";
}
