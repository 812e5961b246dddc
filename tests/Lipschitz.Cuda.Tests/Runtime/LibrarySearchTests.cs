using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Tests.Runtime;

public sealed class LibrarySearchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lipschitz-search-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void All_that_was_tried_is_told_with_the_reason()
    {
        string broken = Path.Combine(_folder, "libbroken.so.2");
        File.WriteAllText(broken, "no library");
        LibrarySearch search = LibrarySearch.Find("cuSomething", ["libmissing-lipschitz.so.1", "libbroken.so.2"], ["", _folder]);
        Assert.Equal(0, search.Handle);
        Assert.StartsWith("cuSomething was not found; tried libmissing-lipschitz.so.1 (", search.Report, StringComparison.Ordinal);
        Assert.Contains($"{Path.Combine(_folder, "libmissing-lipschitz.so.1")} (no such file)", search.Report, StringComparison.Ordinal);
        Assert.Contains($"{broken} (", search.Report, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', search.Report);
    }

    [Fact]
    public void A_lacking_symbol_is_named()
    {
        Doubles.RequireFakes();
        LibrarySearch search = LibrarySearch.Find("the double", ["nothing.so", "libcuda.so.1"], [Doubles.Folder]);
        Assert.Equal(Path.Combine(Doubles.Folder, "libcuda.so.1"), search.Report);
        Assert.Null(search.MissingSymbol(Driver.Symbols));
        Assert.Equal("cuNothing", search.MissingSymbol(["cuInit", "cuNothing", "cuNoneEither"]));
    }

    [Fact]
    public void The_folders_of_the_environment_are_the_only_ones_searched()
    {
        Doubles.RequireFakes();
        Assert.Equal(Path.Combine(Doubles.Folder, "libcuda.so.1"), NativeLibraries.DriverSearch.Path);
        Assert.Equal(Path.Combine(Doubles.Folder, "libcublas.so.12"), NativeLibraries.CublasSearch.Path);
        Assert.Equal(Path.Combine(Doubles.Folder, "libcudnn.so.9"), NativeLibraries.CudnnSearch.Path);
    }
}
