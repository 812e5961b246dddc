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
            using IBackend backend = ComputeOptions.OpenCpu();
            (string cuda, IReadOnlyList<BackendFinding> findings) = Cuda();
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
                backends = new { cpu = $"found, {backend.Name}", reference = "found", cuda },
                cuda = findings,
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
                foreach (BackendFinding finding in findings)
                {
                    string state = finding.IsFound ? "found" : finding.IsNeeded ? "missing" : "not there (not needed)";
                    text.WriteLine($"  cuda     {finding.What}: {state}; {finding.Detail}");
                }
            });
            return ExitCode.Success;
        });
        return command;
    }

    // A plug-in that is not there is as normal as a machine without a GPU.
    private static (string State, IReadOnlyList<BackendFinding> Findings) Cuda()
    {
        try
        {
            IReadOnlyList<BackendFinding> findings = BackendPlugins.Load("cuda").Diagnose();
            return (findings.All(finding => finding.IsFound || !finding.IsNeeded) ? "found" : "plug-in found, cannot run here", findings);
        }
        catch (BackendUnavailableException missing)
        {
            return (missing.Message, []);
        }
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
