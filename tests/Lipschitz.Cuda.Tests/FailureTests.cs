using Lipschitz.Backends;
using Lipschitz.Cuda.Interop;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda.Tests;

/// <summary>Whatever call fails: one exception with one line that names it, and nothing is left behind.</summary>
public class FailureTests : SteeringTests
{
    private const int UnknownError = 999; // CUDA_ERROR_UNKNOWN
    private const int CublasFailed = 13; // CUBLAS_STATUS_EXECUTION_FAILED
    private const int CudnnFailed = 5000; // CUDNN_STATUS_EXECUTION_FAILED
    private const int OutOfMemory = 2;
    private const int LaunchFailed = 719;

    // Without these the back end does what it does where the library is missing, or goes on; see CudaPlugin.
    private static readonly string[] s_harmless = ["cublasCreate", "cudnnCreate", "cublasGetProperty"];

    // A graph that does not come about is done without.
    private static readonly string[] s_ofGraphs = ["cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiateWithFlags"];

    [Fact]
    public void What_is_opened_and_used_is_given_back()
    {
        Work();
        Assert.Equal("", Control.Leaks);
    }

    [Fact]
    public void Every_call_that_fails_ends_in_one_line_that_names_it_and_leaves_nothing_behind()
    {
        Work();
        string[] calls = Control.Called;
        Assert.True(calls.Length > 50, string.Join(", ", calls));
        foreach (string call in calls)
        {
            int count = (int)CountOf(call);
            foreach (int nth in (int[])[1, (count + 1) / 2, count])
            {
                Fails(call, nth);
            }
        }
    }

    [Fact]
    public void A_failed_launch_is_told_by_the_call_that_waits()
    {
        using IBackend backend = Devices.Open(Devices.Cublas, Devices.Cudnn);
        Tensor x = backend.Allocate(3, 4);
        Control.Fail("cuStreamSynchronize", 1, LaunchFailed);
        CudaException failure = Assert.Throws<CudaException>(() => backend.AllFinite(x));
        Assert.Contains("CUDA_ERROR_LAUNCH_FAILED (719)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("CUDA_LAUNCH_BLOCKING", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_that_is_short_is_taken_back_from_the_pool_before_anything_fails()
    {
        IBackend backend = Devices.Open(Devices.Own, Devices.None);
        Control.Set("memory", 64 << 20);
        for (int i = 1; i < 40; i++)
        {
            backend.AllocateBuffer(i << 18); // of ever new sizes; each is collectable at once
        }

        BackendException failure = Assert.ThrowsAny<BackendException>(() => backend.AllocateBuffer(100 << 20));
        Assert.Matches("^cuMemAlloc .*400 MiB wanted.* failed with CUDA_ERROR_OUT_OF_MEMORY .*Use a smaller training.batch", failure.Message);
        backend.Dispose();
        Assert.Equal("", Control.Leaks);
    }

    [Fact]
    public void One_refused_allocation_is_tried_again()
    {
        IBackend backend = Devices.Open(Devices.Own, Devices.None);
        Control.Fail("cuMemAlloc", 1, OutOfMemory);
        backend.AllocateBuffer(1000);
        backend.Dispose();
        Assert.Equal(0, Control.Calls("cuMemAlloc") - Control.Calls("cuMemFree") - 1);
    }

    [Theory]
    [InlineData("devices", 0, "finds no NVIDIA GPU")]
    [InlineData("driver", 11080, "is of CUDA 11.8; CUDA 12.0 or later is needed")]
    [InlineData("major", 7, "has compute capability 7.0; 8.0 or later is needed")]
    public void A_machine_that_will_not_do_is_told_in_one_line(string option, int value, string expected)
    {
        Control.Set(option, value);
        BackendUnavailableException failure = Assert.Throws<BackendUnavailableException>(() => CudaContext.Open(0));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Contains(new CudaPlugin().Diagnose(), finding => finding is { IsFound: false, IsNeeded: true } && finding.Detail.Contains(expected, StringComparison.Ordinal));
        Assert.Equal("", Control.Leaks);
    }

    [Theory]
    [InlineData("cublas", 110600, "is cuBLAS 11.6.0; only versions 12 and 13 are supported")]
    [InlineData("cudnn", 8907, "is cuDNN 8.9.7; only version 9 is supported")]
    public void A_library_of_another_version_is_done_without(string option, int value, string expected)
    {
        Control.Set(option, value);
        Assert.Contains(new CudaPlugin().Diagnose(), finding => finding is { IsFound: false, IsNeeded: false } && finding.Detail.Contains(expected, StringComparison.Ordinal));
        Work();
        Assert.Equal("", Control.Leaks);
    }

    [Fact]
    public void A_device_that_is_not_there_is_told()
    {
        string message = Assert.Throws<BackendUnavailableException>(() => CudaContext.Open(3)).Message;
        Assert.Equal("There is no CUDA device 3; this machine has 1, numbered from 0.", message);
    }

    [Fact]
    public void Libraries_are_looked_for_where_they_were_said_to_be_and_all_that_was_tried_is_told()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        File.WriteAllText(Path.Combine(folder, "libnonsense.so"), "no library");
        LibrarySearch search = LibrarySearch.Find("cuX", ["libmissing.so", "libnonsense.so"], [folder]);
        Directory.Delete(folder, true);
        Assert.Equal(0, search.Handle);
        Assert.Matches("^cuX was not found; tried .*libmissing.so \\(no such file\\); .*libnonsense.so \\(.*\\)\\.$", search.Report);
        LibrarySearch found = LibrarySearch.Find("cuBLAS", ["libcublas.so.13", "libcublas.so.12"], [folder, Doubles.Folder]);
        Assert.EndsWith("libcublas.so.12", found.Report, StringComparison.Ordinal);
        Assert.Equal("cublasNothing", found.MissingSymbol(["cublasSgemm_v2", "cublasNothing"]));
    }

    [Fact]
    public void Convolutions_that_cuDNN_refuses_are_done_without_it()
    {
        Control.Set("strided", 0);
        Work();
        Control.Fail("cudnnConvolutionForward", 1, 3000); // CUDNN_STATUS_NOT_SUPPORTED
        Work();
        Assert.Equal("", Control.Leaks);
    }

    private static nint CountOf(string call)
    {
        Control.Reset();
        Work();
        return Control.Calls(call);
    }

    private static void Fails(string call, int nth)
    {
        int status = call.StartsWith("cublas", StringComparison.Ordinal) ? CublasFailed : call.StartsWith("cudnn", StringComparison.Ordinal) ? CudnnFailed : UnknownError;
        Control.Reset();
        Control.Fail(call, nth, status);
        Exception? failure = Record.Exception(Work);
        string what = $"{call}, call {nth}: {failure?.Message ?? "no exception"}";
        if (failure is null)
        {
            Assert.True(s_harmless.Contains(call) || s_ofGraphs.Contains(call), what);
        }
        else
        {
            Assert.True(failure is BackendException, what + failure.GetType());
            Assert.True(failure.Message.Contains(call, StringComparison.Ordinal) || failure.InnerException?.Message.Contains(call, StringComparison.Ordinal) == true, what);
            Assert.False(failure.Message.Contains('\n'), what);
        }

        Assert.True(Control.Leaks.Length == 0 || IsRelease(call), $"{what}; left behind:\n{Control.Leaks}");
    }

    // What a call that releases something does not release when it fails, nobody can.
    private static bool IsRelease(string call) =>
        call.Contains("Destroy", StringComparison.Ordinal) || call.Contains("Free", StringComparison.Ordinal) || call.Contains("Release", StringComparison.Ordinal) ||
        call.Contains("Unload", StringComparison.Ordinal);

    // Something of everything: memory, copies with and without gaps, kernels, cooperative kernels, both libraries, a graph.
    private static void Work()
    {
        using IBackend backend = new CudaPlugin().Open(new BackendOptions(0, false));
        Tensor x = backend.Allocate(2 * 9, 4);
        Tensor w = backend.Allocate(3 * 9, 4);
        Tensor y = backend.Allocate(2 * 9, 3);
        backend.Upload(new double[x.Count], x);
        backend.Upload(new double[9], x.ColumnRange(1, 1).RowRange(0, 9));
        backend.Upload([.. Enumerable.Range(0, w.Count).Select(i => i * 0.01)], w);
        var shape = new ConvolutionShape(3, 3, 3);
        PackedConvolution packed = backend.CreatePackedConvolution(shape, 4, 3);
        backend.PackConvolution(w, false, packed);
        backend.Convolve(x, packed, 0, y);
        backend.ConvolutionWeightGradient(shape, x, y, w);
        backend.Multiply(x, true, y, false, 0, backend.Allocate(4, 3));
        Tensor sigma = backend.Allocate(1, 1);
        backend.PowerIterate(w, 2, 0, backend.Allocate(1, 27), backend.Allocate(1, 4), sigma);
        Action again = backend.Repeatable(() => backend.Multiply(x, true, y, false, 0.5, backend.Allocate(4, 3)));
        again();
        again();
        again();
        backend.Download(y, new double[y.Count]);
        Assert.True(backend.AllFinite(y));
    }
}
