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
        string folder = Doubles.Build(isSanitized, Doubles.ProbeKernels);
        (int exitCode, string output, string errors) = Doubles.Start(
            Path.Combine(folder, Doubles.CheckProgram), [], ("ASAN_OPTIONS", Sanitizer.Options), ("LD_PRELOAD", ""));
        Assert.True(exitCode == 0, output + errors);
        Assert.Equal("all is as it should be\n", output);
    }
}
