using Lipschitz.Cpu.Tests;

namespace Lipschitz.Cuda.Tests;

/// <summary>
/// All kernels under AddressSanitizer: the conformance tests in a process of their own, whose doubles are compiled with it and put work off until
/// somebody waits for it.
/// </summary>
public class SanitizerTests
{
    // What leaves .NET's signals and stacks alone; leaks are counted by the doubles.
    private const string Options =
        "detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:use_sigaltstack=0"
        + ":detect_stack_use_after_return=0";

    [Fact]
    public void No_kernel_leaves_its_memory_whenever_it_runs()
    {
        Doubles.RequireFakes();
        string? library = NativeBuild.SanitizerLibrary();
        Assert.SkipWhen(library is null, "This g++ has no AddressSanitizer.");
        string report = Path.GetTempFileName();
        (int exitCode, string text) = ChildProcess.Run(
            Path.Combine(AppContext.BaseDirectory, "Lipschitz.Cuda.Tests"),
            ["-class", typeof(KernelConformance).FullName!, "-parallel", "none"],
            ("LD_PRELOAD", library!),
            ("ASAN_OPTIONS", Options),
            ("LIPSCHITZ_CUDA_LIBRARIES", NativeBuild.Libraries(NativeBuild.Kernels, isSanitized: true)),
            ("LIPSCHITZ_CUDA_BACKENDS", "cuda with neither"),
            ("LIPSCHITZ_DOUBLE_OPTIONS", "deferred=1"),
            ("LIPSCHITZ_DOUBLE_REPORT", report));
        string[] lines = File.ReadAllLines(report);
        File.Delete(report);
        Assert.True(exitCode == 0, text);
        Assert.Empty(lines.SkipWhile(line => line != "complaints").Skip(1));
        Assert.Contains(lines, line => line.StartsWith("fill ", StringComparison.Ordinal));
    }
}
