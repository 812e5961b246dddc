using Lipschitz.Cpu.Tests;
using Lipschitz.Cuda.Runtime;

namespace Lipschitz.Cuda.Tests;

/// <summary>All kernels are used.</summary>
public class CoverageTests : SteeringTests
{
    [Fact]
    public void Both_compilers_see_the_same_kernels()
    {
        string[] onHost = [.. File.ReadAllLines(Path.Combine(Doubles.Folder, "kernels.table")).Select(line => line["KERNEL_OF(".Length..^1])];
        Assert.Equal(PtxKernels.Parse(KernelModule.EmbeddedPtx()).Keys.Order(), onHost.Order());
    }

    // Tests that steer the doubles, as this one, come after all others.
    [Fact]
    public void Every_kernel_was_launched_by_some_test()
    {
        bool AreRun(string tests) => ConformingBackends.Users.ContainsKey(tests);
        Assert.SkipUnless(AreRun(nameof(KernelConformance)) && AreRun(nameof(LargeShapeTests)), "The tests of the kernels were not run.");
        Assert.DoesNotContain(PtxKernels.Parse(KernelModule.EmbeddedPtx()).Keys, name => Control.Launches(name) == 0);
    }
}
