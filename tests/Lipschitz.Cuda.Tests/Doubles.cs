using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lipschitz.Cuda.Tests;

/// <summary>
/// The libraries the tests run on: test doubles of libcuda, libcublas and libcudnn, whose device is this machine; or the real ones where the
/// environment variable LIPSCHITZ_CUDA_REAL is 1.
/// </summary>
internal static class Doubles
{
    private const string FolderVariable = "LIPSCHITZ_CUDA_LIBRARIES";

    private static string? s_missing;
    private static string? s_broken;

    /// <summary>Whether the tests run on a real device.</summary>
    public static bool AreReal { get; } = Environment.GetEnvironmentVariable("LIPSCHITZ_CUDA_REAL") == "1";

    /// <summary>The folder of the doubles; empty where there are none.</summary>
    public static string Folder { get; private set; } = "";

    /// <summary>Skips the test where there are neither doubles nor a real device, and fails it where the doubles cannot be built.</summary>
    public static void Require()
    {
        Assert.SkipWhen(s_missing is not null, s_missing ?? "");
        Assert.True(s_broken is null, s_broken);
    }

    /// <summary>As <see cref="Require"/>, for tests that steer the doubles: skips them on a real device.</summary>
    public static void RequireFakes()
    {
        Assert.SkipWhen(AreReal, "On a real device nothing can be made to fail on purpose.");
        Require();
    }

    // Before anything of Lipschitz.Cuda is touched, which looks for its libraries once. No other thread may wait for this one meanwhile.
    [ModuleInitializer]
    internal static void Prepare()
    {
        if (AreReal)
        {
            return;
        }

        try
        {
            string? given = Environment.GetEnvironmentVariable(FolderVariable);
            Folder = given is { Length: > 0 } ? given : NativeBuild.Libraries(NativeBuild.Kernels, isSanitized: false);
            Environment.SetEnvironmentVariable(FolderVariable, Folder);
            NativeLibrary.SetDllImportResolver(typeof(Doubles).Assembly, (name, _, _) =>
                name == Control.Library ? NativeLibrary.Load(Path.Combine(Folder, "libcuda.so.1")) : 0);
        }
        catch (PlatformNotSupportedException e)
        {
            s_missing = e.Message;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            s_broken = e.Message;
        }
    }
}
