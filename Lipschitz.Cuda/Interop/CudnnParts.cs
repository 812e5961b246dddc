using System.Runtime.InteropServices;

namespace Lipschitz.Cuda.Interop;

/// <summary>
/// What cuDNN 9 loads by itself when it is first used: its own parts, and the cuBLAS of the CUDA release that it was made for. Where one is missing
/// it ends the process instead of returning a status, so all of them are loaded before the first call.
/// </summary>
internal static class CudnnParts
{
    private static readonly string[] s_needed = ["graph", "ops", "cnn", "heuristic", "engines_precompiled"];
    private static readonly string[] s_useful = ["engines_runtime_compiled"]; // in turn needs a compiler that may be missing

    /// <summary>What is missing, in one line; null where nothing is.</summary>
    /// <param name="cudnn">The library as it was found.</param>
    public static string? Missing(LibrarySearch cudnn)
    {
        string folder = Path.GetDirectoryName(cudnn.Path) ?? "";
        foreach (string part in s_needed)
        {
            if (!TryLoad(folder, part))
            {
                return $"{cudnn.Path} needs {FileOf(part)}, which cannot be loaded; install all of cuDNN 9.";
            }
        }

        foreach (string part in s_useful)
        {
            TryLoad(folder, part);
        }

        int toolkit = (int)Cudnn.GetCudartVersion() / 1000;
        LibrarySearch cublas = NativeLibraries.FindCublasLt(toolkit);
        return NativeLibraries.DriverMajor < toolkit
            ? $"{cudnn.Path} is for CUDA {toolkit} and the driver for CUDA {NativeLibraries.DriverMajor}; install a newer driver, or cuDNN for the older one."
            : cublas.Handle == 0 ? $"{cudnn.Path} is for CUDA {toolkit}. {cublas.Report}"
            : null;
    }

    private static bool TryLoad(string folder, string part) => NativeLibrary.TryLoad(Path.Combine(folder, FileOf(part)), out _);

    private static string FileOf(string part) => OperatingSystem.IsWindows() ? $"cudnn_{part}64_9.dll" : $"libcudnn_{part}.so.9";
}
