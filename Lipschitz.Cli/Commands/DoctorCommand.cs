using System.CommandLine;
using System.Runtime.InteropServices;
using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Cpu.Diagnostics;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz doctor</c>.</summary>
internal static class DoctorCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        var command = new DocumentedCommand(
            "doctor",
            "Say what this machine offers: processor, vector width, threads, back ends.",
            "lipschitz doctor",
            "lipschitz doctor --json");
        command.SetAction(parse =>
        {
            CpuInfo cpu = CpuInfo.Read();
            using IBackend backend = BackendChoice.Open();
            var result = new
            {
                processor = cpu.Processor,
                architecture = RuntimeInformation.ProcessArchitecture.ToString(),
                vectorBits = Bits(cpu.Width),
                instructions = Instructions(cpu),
                threads = cpu.LogicalProcessors,
                memoryGiB = Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Math.Pow(2, 30), 1),
                dotnet = Environment.Version.ToString(),
                system = RuntimeInformation.OSDescription,
                backends = new { cpu = $"found, {backend.Name}", reference = "found", cuda = "not installed" },
            };
            shell.Report(parse, result, console =>
            {
                TextWriter text = console.Profile.Out.Writer;
                text.WriteLine($"processor  {result.processor} ({result.architecture})");
                text.WriteLine($"vectors    {result.vectorBits} bits ({result.instructions})");
                text.WriteLine($"threads    {result.threads}");
                text.WriteLine($"memory     {result.memoryGiB:0.0} GiB");
                text.WriteLine($".NET       {result.dotnet} on {result.system}");
                var found = result.backends;
                text.WriteLine($"back ends  cpu: {found.cpu}; reference: {found.reference}; cuda: {found.cuda}");
            });
            return ExitCode.Success;
        });
        return command;
    }

    private static int Bits(SimdWidth width) => width switch
    {
        SimdWidth.Bits512 => 512,
        SimdWidth.Bits256 => 256,
        _ => 128,
    };

    private static string Instructions(CpuInfo cpu) => cpu.Width switch
    {
        SimdWidth.Bits512 => "AVX-512",
        SimdWidth.Bits256 => "AVX2",
        _ => "portable",
    } + (cpu.HasFusedMultiplyAdd ? ", FMA" : "");
}
