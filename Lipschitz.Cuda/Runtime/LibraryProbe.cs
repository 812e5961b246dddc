using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Runtime;

/// <summary>Whether a library that the back end can do without is usable, and which it is.</summary>
/// <param name="IsUsable">Whether it is there, has all that is called, and is of a known major version.</param>
/// <param name="Name">Such as <c>cuBLAS 12.6.4</c> where it is usable.</param>
/// <param name="Detail">Where it is, or what is wrong with it, in one line.</param>
internal sealed unsafe record LibraryProbe(bool IsUsable, string Name, string Detail)
{
    /// <summary>Looks at cuBLAS: major version 12 or 13.</summary>
    public static LibraryProbe Cublas()
    {
        LibrarySearch search = NativeLibraries.CublasSearch;
        if (Problem(search, Interop.Cublas.Symbols) is string problem)
        {
            return new LibraryProbe(false, "cuBLAS", problem);
        }

        int* version = stackalloc int[3];
        foreach (int part in (ReadOnlySpan<int>)[Interop.Cublas.MajorVersion, Interop.Cublas.MinorVersion, Interop.Cublas.PatchLevel])
        {
            int status = Interop.Cublas.GetProperty(part, &version[part]);
            if (status != Interop.Cublas.Success)
            {
                return new LibraryProbe(false, "cuBLAS", CudaException.OfCublas(status, "cublasGetProperty", search.Path).Message);
            }
        }

        string name = $"cuBLAS {version[0]}.{version[1]}.{version[2]}";
        return version[0] is 12 or 13
            ? new LibraryProbe(true, name, search.Path)
            : new LibraryProbe(false, name, $"{search.Path} is {name}; only versions 12 and 13 are supported.");
    }

    /// <summary>Looks at cuDNN: major version 9, with all that it loads by itself.</summary>
    public static LibraryProbe Cudnn()
    {
        LibrarySearch search = NativeLibraries.CudnnSearch;
        if ((Problem(search, Interop.Cudnn.Symbols) ?? CudnnParts.Missing(search)) is string problem)
        {
            return new LibraryProbe(false, "cuDNN", problem);
        }

        // 90600 is 9.6.0; up to version 8 the major version was the number of thousands.
        int version = (int)Interop.Cudnn.GetVersion();
        string name = version >= 90_000
            ? $"cuDNN {version / 10_000}.{version % 10_000 / 100}.{version % 100}"
            : $"cuDNN {version / 1000}.{version % 1000 / 100}.{version % 100}";
        return version / 10_000 == 9
            ? new LibraryProbe(true, name, search.Path)
            : new LibraryProbe(false, name, $"{search.Path} is {name}; only version 9 is supported.");
    }

    /// <summary>The same library, which is there but does not work.</summary>
    public LibraryProbe Refused(string reason) => new(false, Name, $"{Name}, {Detail}: {reason}");

    private static string? Problem(LibrarySearch search, string[] symbols) =>
        search.Handle == 0 ? search.Report
        : search.MissingSymbol(symbols) is string symbol ? $"{search.Path} lacks {symbol}; a release that has it is needed."
        : null;
}
