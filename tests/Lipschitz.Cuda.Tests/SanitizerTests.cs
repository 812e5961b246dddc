using Lipschitz.Cpu.Tests;

namespace Lipschitz.Cuda.Tests;

/// <summary>
/// All kernels under AddressSanitizer: the conformance tests in a process of their own, whose doubles are compiled with it and put work off until
/// somebody waits for it.
/// </summary>
[Collection(Steering.Name)]
public class SanitizerTests
{
    [Fact]
    public void No_kernel_leaves_its_memory_whenever_it_runs()
    {
        Doubles.RequireFakes();
        string library = Sanitizer.Library;
        string report = Path.GetTempFileName();
        (int exitCode, string output, string errors) = Doubles.Start(
            Path.Combine(AppContext.BaseDirectory, "Lipschitz.Cuda.Tests"),
            ["-class", typeof(KernelConformance).FullName!, "-parallel", "none"],
            ("LD_PRELOAD", library),
            ("ASAN_OPTIONS", Sanitizer.Options),
            ("LIPSCHITZ_CUDA_LIBRARIES", Doubles.Build(isSanitized: true)),
            ("LIPSCHITZ_CUDA_BACKENDS", "cuda with neither"),
            ("LIPSCHITZ_DOUBLE_OPTIONS", "deferred=1"),
            ("LIPSCHITZ_DOUBLE_REPORT", report));
        string[] lines = File.ReadAllLines(report);
        File.Delete(report);
        Assert.True(exitCode == 0, output + errors);
        Assert.Empty(lines.SkipWhile(line => line != "complaints").Skip(1));
        Assert.Contains(lines, line => line.StartsWith("fill ", StringComparison.Ordinal));
    }
}
