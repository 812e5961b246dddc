namespace Lipschitz.Cuda.Tests;

/// <summary>The doubles themselves: what is right works, what is wrong is told.</summary>
public class DoubleTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_doubles_keep_the_rules_of_the_libraries(bool isSanitized)
    {
        Doubles.RequireFakes();
        string folder = NativeBuild.Libraries(NativeBuild.ProbeKernels, isSanitized);
        (int exitCode, string text) = ChildProcess.Run(
            Path.Combine(folder, NativeBuild.CheckProgram), [], ("ASAN_OPTIONS", "detect_leaks=0"), ("LD_PRELOAD", ""));
        Assert.True(exitCode == 0, text);
        Assert.Equal("all is as it should be\n", text);
    }
}
