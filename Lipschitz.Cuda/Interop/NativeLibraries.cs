using System.Reflection;
using System.Runtime.InteropServices;

namespace Lipschitz.Cuda.Interop;

/// <summary>
/// Where the imports of <see cref="Interop.Driver"/>, <see cref="Interop.Cublas"/> and <see cref="Interop.Cudnn"/> come from. Each library is looked
/// for once in a process. The environment variable LIPSCHITZ_CUDA_LIBRARIES names folders, as PATH does, to search instead of all others.
/// </summary>
internal static class NativeLibraries
{
    /// <summary>The variable that names the only folders to search.</summary>
    public const string FoldersVariable = "LIPSCHITZ_CUDA_LIBRARIES";

    // The names by which imports refer to libraries; the resolver below gives them files.
    public const string Driver = "lipschitz-cuda-driver";
    public const string Cublas = "lipschitz-cublas";
    public const string Cudnn = "lipschitz-cudnn";

    private static readonly Lazy<LibrarySearch> s_driver = new(() => Find("The CUDA driver", ["nvcuda.dll"], ["libcuda.so.1"]));
    private static readonly Lazy<LibrarySearch> s_cublas = new(FindCublas);
    private static readonly Lazy<LibrarySearch> s_cudnn = new(() => Find("cuDNN 9", ["cudnn64_9.dll"], ["libcudnn.so.9"]));

    // Runs before anything looks at the searches below, so before the first import is used (CudaContext.Open asks for the driver first).
    static NativeLibraries() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);

    /// <summary>The driver's library.</summary>
    public static LibrarySearch DriverSearch => s_driver.Value;

    /// <summary>cuBLAS.</summary>
    public static LibrarySearch CublasSearch => s_cublas.Value;

    /// <summary>cuDNN.</summary>
    public static LibrarySearch CudnnSearch => s_cudnn.Value;

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name switch
    {
        Driver => s_driver.Value.Handle,
        Cublas => s_cublas.Value.Handle,
        Cudnn => s_cudnn.Value.Handle,
        _ => 0,
    };

    /// <summary>The major version of CUDA that the driver is for; 0 without a driver.</summary>
    public static unsafe int DriverMajor
    {
        get
        {
            int version = 0;
            return s_driver.Value.Handle != 0 && Interop.Driver.GetVersion(&version) == Interop.Driver.Success ? version / 1000 : 0;
        }
    }

    /// <summary>The part of cuBLAS that cuDNN uses, of a given major version.</summary>
    public static LibrarySearch FindCublasLt(int major) => Find("Its cuBLAS", [$"cublasLt64_{major}.dll"], [$"libcublasLt.so.{major}"]);

    // cuBLAS 13 needs a driver of CUDA 13, and fails only when it is used; an older driver gets cuBLAS 12 at once.
    private static LibrarySearch FindCublas() =>
        DriverMajor >= 13
            ? Find("cuBLAS 13 or 12", ["cublas64_13.dll", "cublas64_12.dll"], ["libcublas.so.13", "libcublas.so.12"])
            : Find("cuBLAS 12", ["cublas64_12.dll"], ["libcublas.so.12"]);

    private static LibrarySearch Find(string name, string[] windows, string[] linux) =>
        LibrarySearch.Find(name, OperatingSystem.IsWindows() ? windows : linux, Folders());

    // The system's own search first (an empty folder), then where the toolkit's installers put it.
    private static string[] Folders()
    {
        if (Variable(FoldersVariable) is { } only)
        {
            return [.. only.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFullPath)];
        }

        List<string> folders = ["", AppContext.BaseDirectory];
        string? toolkit = Variable("CUDA_PATH") ?? Variable("CUDA_HOME");
        if (OperatingSystem.IsWindows())
        {
            folders.AddRange(toolkit is null ? [] : [Path.Combine(toolkit, "bin"), Path.Combine(toolkit, "bin", "x64")]);
        }
        else
        {
            folders.AddRange([Path.Combine(toolkit ?? "/usr/local/cuda", "lib64"), "/usr/lib/wsl/lib"]);
        }

        return [.. folders];
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
