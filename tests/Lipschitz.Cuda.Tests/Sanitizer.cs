namespace Lipschitz.Cuda.Tests;

/// <summary>AddressSanitizer in a process of .NET, which has signal handlers and stacks of its own.</summary>
internal static class Sanitizer
{
    /// <summary>What leaves .NET's signals alone; leaks are counted by the doubles.</summary>
    public const string Options =
        "detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:use_sigaltstack=0:detect_stack_use_after_return=0";

    /// <summary>The library that must be loaded before all others; skips the test where the compiler does not bring it.</summary>
    public static string Library
    {
        get
        {
            string path = Doubles.Start("g++", ["-print-file-name=libasan.so"]).Output.Trim();
            Assert.SkipUnless(Path.IsPathRooted(path), "This g++ has no AddressSanitizer.");
            return path;
        }
    }
}
