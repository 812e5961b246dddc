using System.Runtime.InteropServices;

namespace Lipschitz.Cuda.Interop;

/// <summary>
/// cuBLAS, entry by entry. Names, signatures and numbers are those of <c>cublas_api.h</c> of cuBLAS 12.6.4 and 13.0.0 and
/// <c>library_types.h</c> of CUDA 12.6. Matrices are column-major.
/// </summary>
internal static unsafe partial class Cublas
{
    public const int Success = 0; // cublasStatus_t

    // cublasOperation_t
    public const int None = 0;
    public const int Transpose = 1;

    // cublasMath_t: the default keeps at least the precision of its factors
    public const int DefaultMath = 0;
    public const int Tf32Math = 3;

    public const int AtomicsNotAllowed = 0; // cublasAtomicsMode_t

    // libraryPropertyType
    public const int MajorVersion = 0;
    public const int MinorVersion = 1;
    public const int PatchLevel = 2;

    /// <summary>What must be there; kept equal to the imports below by a test.</summary>
    public static readonly string[] Symbols =
    [
        "cublasGetProperty", "cublasCreate_v2", "cublasDestroy_v2", "cublasSetStream_v2", "cublasSetWorkspace_v2", "cublasSetMathMode",
        "cublasSetAtomicsMode", "cublasSgemm_v2",
    ];

    private const string Library = NativeLibraries.Cublas;

    [LibraryImport(Library, EntryPoint = "cublasGetProperty")]
    public static partial int GetProperty(int property, int* value);

    [LibraryImport(Library, EntryPoint = "cublasCreate_v2")]
    public static partial int Create(nint* handle);

    [LibraryImport(Library, EntryPoint = "cublasDestroy_v2")]
    public static partial int Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "cublasSetStream_v2")]
    public static partial int SetStream(nint handle, nint stream);

    [LibraryImport(Library, EntryPoint = "cublasSetWorkspace_v2")]
    public static partial int SetWorkspace(nint handle, nint workspace, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cublasSetMathMode")]
    public static partial int SetMathMode(nint handle, int mode);

    [LibraryImport(Library, EntryPoint = "cublasSetAtomicsMode")]
    public static partial int SetAtomicsMode(nint handle, int mode);

    [LibraryImport(Library, EntryPoint = "cublasSgemm_v2")]
    public static partial int Sgemm(
        nint handle, int transposeA, int transposeB, int m, int n, int k, float* alpha, nint a, int lda, nint b, int ldb,
        float* beta, nint c, int ldc);

    /// <summary>The name of a status.</summary>
    public static string StatusName(int status) => status switch
    {
        0 => "CUBLAS_STATUS_SUCCESS",
        1 => "CUBLAS_STATUS_NOT_INITIALIZED",
        3 => "CUBLAS_STATUS_ALLOC_FAILED",
        7 => "CUBLAS_STATUS_INVALID_VALUE",
        8 => "CUBLAS_STATUS_ARCH_MISMATCH",
        11 => "CUBLAS_STATUS_MAPPING_ERROR",
        13 => "CUBLAS_STATUS_EXECUTION_FAILED",
        14 => "CUBLAS_STATUS_INTERNAL_ERROR",
        15 => "CUBLAS_STATUS_NOT_SUPPORTED",
        16 => "CUBLAS_STATUS_LICENSE_ERROR",
        _ => "an unknown status",
    };
}
