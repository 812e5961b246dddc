using Lipschitz.Backends;
using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda.Tests.Runtime;

public sealed class CudaPluginTests : DeviceTest
{
    [Fact]
    public void What_is_there_is_listed_with_versions_and_paths()
    {
        IReadOnlyList<BackendFinding> findings = new CudaPlugin().Diagnose();
        Assert.Equal(["driver", "device 0", "kernels", "cuBLAS", "cuDNN"], findings.Select(finding => finding.What));
        Assert.All(findings, finding => Assert.True(finding.IsFound, finding.Detail));
        Assert.Equal([true, true, true, false, false], findings.Select(finding => finding.IsNeeded));
        Assert.Equal($"CUDA 12.6, {Path.Combine(Doubles.Folder, "libcuda.so.1")}", findings[0].Detail);
        Assert.Contains("compute capability 8.0, 2.0 GiB", findings[1].Detail, StringComparison.Ordinal);
        Assert.Contains("cuBLAS 12.6.0, ", findings[3].Detail, StringComparison.Ordinal);
        Assert.Contains("cuDNN 9.6.0, ", findings[4].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_too_old_or_missing_is_listed_in_one_line_each()
    {
        Control.Set("cublas", 110_900);
        Control.Set("cudnn", 8902);
        Control.Set("devices", 2);
        Control.Set("major", 7);
        IReadOnlyList<BackendFinding> findings = new CudaPlugin().Diagnose();
        Assert.Equal([true, false, false, false, false], findings.Select(finding => finding.IsFound));
        Assert.Contains("compute capability 7.0; 8.0 or later is needed", findings[1].Detail, StringComparison.Ordinal);
        Assert.Contains("is cuBLAS 11.9.0; only versions 12 and 13", findings[3].Detail, StringComparison.Ordinal);
        Assert.Contains("is cuDNN 8.9.2; only version 9", findings[4].Detail, StringComparison.Ordinal);
        Assert.All(findings, finding => Assert.DoesNotContain('\n', finding.Detail));
        Control.Set("driver", 11_080);
        Assert.Equal(["driver", "devices"], new CudaPlugin().Diagnose().Where(finding => finding is { IsNeeded: true, IsFound: false }).Select(finding => finding.What));
        Control.Set("driver", 12_060);
        Control.Set("devices", 0);
        Assert.Contains(new CudaPlugin().Diagnose(), finding => finding is { IsNeeded: true, IsFound: false });
    }

    [Fact]
    public void A_backend_uses_what_there_is()
    {
        using (CudaBackend all = CudaPlugin.OpenBackend(new BackendOptions(0, false)))
        {
            Assert.EndsWith(", cuBLAS 12.6.0, cuDNN 9.6.0)", all.Name, StringComparison.Ordinal);
        }

        Control.Set("cublas", 110_900);
        Control.Set("cudnn", 8902);
        using CudaBackend none = CudaPlugin.OpenBackend(new BackendOptions(0, false));
        Assert.EndsWith(", own kernels, no cuDNN)", none.Name, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cublasCreate", 1)]
    [InlineData("cudnnCreate", 1001)]
    [InlineData("cudnnSetStream", 5000)]
    [InlineData("cudnnConvolutionForward", 1002)] // CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH
    [InlineData("cudnnGetConvolutionBackwardFilterAlgorithm_v7", 1008)] // CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED
    public void A_library_that_does_not_start_or_work_is_done_without_and_named(string call, int status)
    {
        string library = call.StartsWith("cudnn", StringComparison.Ordinal) ? "cuDNN" : "cuBLAS";
        Control.Fail(call, 1, status);
        using (CudaBackend backend = CudaPlugin.OpenBackend(new BackendOptions(0, false)))
        {
            Assert.Contains(library == "cuDNN" ? "no cuDNN" : "own kernels", backend.Name, StringComparison.Ordinal);
        }

        Control.Fail(call, 1, status);
        BackendFinding finding = new CudaPlugin().Diagnose().Single(finding => finding.What == library);
        Assert.False(finding.IsFound);
        Assert.Contains(call, finding.Detail, StringComparison.Ordinal);
        Assert.Contains($"({status})", finding.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cudnnConvolutionForward", "no deterministic convolution")]
    [InlineData("cudnnConvolutionBackwardFilter", "no deterministic gradient")]
    public void A_cuDNN_that_refuses_plain_pictures_is_done_without(string call, string reason)
    {
        Control.Fail(call, 1, 3000);
        BackendFinding finding = new CudaPlugin().Diagnose().Single(finding => finding.What == "cuDNN");
        Assert.False(finding.IsFound);
        Assert.Contains(reason, finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cuDNN_that_would_end_the_process_is_not_called()
    {
        Control.Set("driver", 13_000);
        Control.Set("cudart", 13_000);
        AssertNoCudnn("is for CUDA 13. Its cuBLAS was not found; tried ");
        Control.Set("driver", 12_060);
        AssertNoCudnn("is for CUDA 13 and the driver for CUDA 12; install a newer driver");
        string folder = Directory.CreateTempSubdirectory("lipschitz-cudnn-").FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "libcudnn.so.9"), Path.Combine(Doubles.Folder, "libcudnn.so.9"));
        LibrarySearch alone = LibrarySearch.Find("cuDNN", ["libcudnn.so.9"], [folder]);
        Assert.Contains("needs libcudnn_graph.so.9, which cannot be loaded", CudnnParts.Missing(alone), StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);

        static void AssertNoCudnn(string reason)
        {
            BackendFinding finding = new CudaPlugin().Diagnose().Single(finding => finding.What == "cuDNN");
            Assert.False(finding.IsFound);
            Assert.Contains(reason, finding.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain("cudnnCreate", Control.Called);
        }
    }

    [Fact]
    public void Kernels_that_the_driver_does_not_take_are_a_finding()
    {
        Control.Fail("cuModuleLoadDataEx", 1, 222);
        BackendFinding finding = new CudaPlugin().Diagnose().Single(finding => !finding.IsFound);
        Assert.True(finding.IsNeeded);
        Assert.Contains("cuModuleLoadDataEx", finding.Detail, StringComparison.Ordinal);
        Assert.Contains("The driver is too old for the kernels", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_call_while_opening_leaves_nothing_behind()
    {
        CudaPlugin.OpenBackend(new BackendOptions(0, true)).Dispose();
        string[] calls = [.. Control.Called.Where(name => name.StartsWith("cublasSet", StringComparison.Ordinal))];
        Assert.NotEmpty(calls);
        foreach (string call in calls)
        {
            Control.Reset();
            Control.Fail(call, 1, 7);
            Assert.Throws<CudaException>(() => CudaPlugin.OpenBackend(new BackendOptions(0, true)));
            Assert.Equal("", Control.Leaks);
        }
    }

    [Fact]
    public void Numbers_go_up_and_down_rounded_to_floats()
    {
        using CudaBackend backend = CudaPlugin.OpenBackend(new BackendOptions(0, false));
        var tensor = new Tensors.Tensor(backend.AllocateBuffer(12), 1, 3, 2, 4);
        double[] numbers = [0.1, 1, 2, -3.3, double.PositiveInfinity, 1e-50];
        backend.Upload(numbers, tensor);
        double[] got = new double[6];
        backend.Download(tensor, got);
        Assert.Equal(numbers.Select(number => (double)(float)number), got);
        Assert.Throws<Tensors.ShapeMismatchException>(() => backend.Upload(new double[5], tensor));
        Assert.True(backend.PeakDeviceBytes > 0);
    }
}
