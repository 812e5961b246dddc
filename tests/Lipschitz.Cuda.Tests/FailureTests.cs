using Lipschitz.Backends;
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

    // Where these fail the back end does without the library, or without an algorithm of it; descriptors are memory of the host alone; and what
    // is waited for only to dispose of the back end is of use to nobody.
    private static readonly string[] s_harmless =
    [
        "cublasCreate", "cublasGetProperty", "cudnnCreate", "cudnnGetConvolutionForwardWorkspaceSize", "cudnnGetConvolutionBackwardDataWorkspaceSize",
        "cudnnGetConvolutionBackwardFilterWorkspaceSize", "cudnnDestroyTensorDescriptor", "cudnnDestroyFilterDescriptor",
        "cudnnDestroyConvolutionDescriptor", "cuStreamSynchronize",
    ];

    [Fact]
    public void What_is_opened_and_used_is_given_back()
    {
        Work();
    }

    [Fact]
    public void Every_call_that_fails_ends_in_one_line_that_names_it_and_leaves_nothing_behind()
    {
        Work(); // looks for libraries, once in a process
        Control.Reset();
        Dictionary<string, int> ofTrial = CallsOfTrial();
        Control.Reset();
        Work();
        (string Name, int Count)[] calls = [.. Control.Called.Select(name => (name, (int)Control.Calls(name)))];
        Assert.True(calls.Length > 50, string.Join(", ", calls));
        foreach ((string name, int count) in calls)
        {
            foreach (int nth in ((int[])[1, (count + 1) / 2, count]).Distinct())
            {
                bool isHarmless = s_harmless.Contains(name) || nth <= ofTrial.GetValueOrDefault(name)
                    || (name == "cuDriverGetVersion" && nth > 1); // asked again for cuDNN alone
                Fails(name, nth, isHarmless);
            }
        }
    }

    [Fact]
    public void A_failed_launch_is_told_by_the_call_that_waits()
    {
        using IBackend backend = Devices.Open(Devices.Cublas, Devices.Cudnn);
        Tensor x = backend.Allocate(3, 4);
        Control.Fail("cuEventSynchronize", 1, LaunchFailed);
        CudaException failure = Assert.Throws<CudaException>(() => backend.AllFinite(x));
        Assert.Contains("CUDA_ERROR_LAUNCH_FAILED (719)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("CUDA_LAUNCH_BLOCKING", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_that_is_short_is_taken_back_from_the_pool_before_anything_fails()
    {
        using IBackend backend = Devices.Open(Devices.Own, Devices.None);
        Control.Set("memory", 64 << 20);
        for (int i = 1; i < 40; i++)
        {
            backend.AllocateBuffer(i << 18); // of ever new sizes; each is collectable at once
        }

        BackendException failure = Assert.ThrowsAny<BackendException>(() => backend.AllocateBuffer(100 << 20));
        Assert.Matches("^cuMemAlloc .*\\d+ MiB wanted.* failed with CUDA_ERROR_OUT_OF_MEMORY .*Use a smaller training.batch", failure.Message);
    }

    [Fact]
    public void One_refused_allocation_is_tried_again()
    {
        using IBackend backend = Devices.Open(Devices.Own, Devices.None);
        Control.Fail("cuMemAlloc", 1, OutOfMemory);
        nint before = Control.Calls("cuMemAlloc");
        backend.AllocateBuffer(1000);
        Assert.Equal(before + 2, Control.Calls("cuMemAlloc"));
    }

    [Fact]
    public void Convolutions_that_cuDNN_refuses_are_done_without_it()
    {
        Control.Set("strided", 0);
        Work();
        Control.Fail("cudnnConvolutionForward", 2, 3000); // CUDNN_STATUS_NOT_SUPPORTED; the first is the trial's
        Work();
    }

    // cuDNN is tried out when the back end is opened, which does without it where that fails.
    private static Dictionary<string, int> CallsOfTrial()
    {
        using IBackend backend = new CudaPlugin().Open(new BackendOptions(0, false));
        return Control.Called.Where(name => name.StartsWith("cudnn", StringComparison.Ordinal))
            .ToDictionary(name => name, name => (int)Control.Calls(name));
    }

    private static void Fails(string call, int nth, bool isHarmless)
    {
        Control.Reset();
        Control.Fail(call, nth, call[..4] switch { "cubl" => CublasFailed, "cudn" => CudnnFailed, _ => UnknownError });
        Exception? failure = Record.Exception(Work);
        string what = $"{call}, call {nth}: {failure?.Message ?? "no exception"}";
        if (failure is null)
        {
            Assert.True(isHarmless, what);
        }
        else
        {
            Assert.True(failure is BackendException, what + failure.GetType());
            Assert.True($"{failure.Message} {failure.InnerException?.Message}".Contains(call, StringComparison.Ordinal), what);
            Assert.False(failure.Message.Contains('\n'), what);
        }

        Assert.True(Control.Leaks.Length == 0 || IsRelease(call), $"{what}; left behind:\n{Control.Leaks}");
        Control.Forget();
    }

    // What a call that releases something does not release when it fails, nobody can.
    private static bool IsRelease(string call) =>
        ((string[])["Destroy", "Free", "Release", "Unload"]).Any(word => call.Contains(word, StringComparison.Ordinal));

    // Something of everything but graphs, which are done without where they fail (CudaRecordingTests): memory, copies with and without gaps,
    // kernels, cooperative kernels, both libraries.
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
        backend.Download(y, new double[y.Count]);
        Assert.True(backend.AllFinite(y));
    }
}
