using Lipschitz.Backends;

namespace Lipschitz.Cuda.Tests.Runtime;

public sealed class CudaPluginTests : DeviceTest
{
    [Fact]
    public void What_is_there_is_listed_with_versions_and_paths()
    {
        IReadOnlyList<BackendFinding> findings = new CudaPlugin().Diagnose();
        Assert.Equal(["driver", "device 0", "cuBLAS", "cuDNN"], findings.Select(finding => finding.What));
        Assert.All(findings, finding => Assert.True(finding.IsFound, finding.Detail));
        Assert.Equal([true, true, false, false], findings.Select(finding => finding.IsNeeded));
        Assert.Equal($"CUDA 12.6, {Path.Combine(Doubles.Folder, "libcuda.so.1")}", findings[0].Detail);
        Assert.Contains("compute capability 8.0, 2.0 GiB", findings[1].Detail, StringComparison.Ordinal);
        Assert.Contains("cuBLAS 12.6.0, ", findings[2].Detail, StringComparison.Ordinal);
        Assert.Contains("cuDNN 9.6.0, ", findings[3].Detail, StringComparison.Ordinal);
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
        BackendFinding driver = Assert.Single(new CudaPlugin().Diagnose());
        Assert.False(driver.IsFound);
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
    public void A_library_that_does_not_start_is_done_without(string call, int status)
    {
        Control.Fail(call, 1, status);
        using CudaBackend backend = CudaPlugin.OpenBackend(new BackendOptions(0, false));
        Assert.Contains(call == "cudnnCreate" ? "no cuDNN" : "own kernels", backend.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_call_while_opening_leaves_nothing_behind()
    {
        CudaPlugin.OpenBackend(new BackendOptions(0, true)).Dispose();
        string[] calls = [.. Control.Called.Where(name => name.StartsWith("cublasSet", StringComparison.Ordinal) || name == "cudnnSetStream")];
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
