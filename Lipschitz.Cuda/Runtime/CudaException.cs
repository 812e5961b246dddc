using System.Runtime.InteropServices;
using Lipschitz.Backends;
using Lipschitz.Cuda.Interop;

namespace Lipschitz.Cuda;

/// <summary>A call to the CUDA driver, cuBLAS or cuDNN failed; the message names the call, the status, what it was about, and what to do.</summary>
public sealed class CudaException : BackendException
{
    private CudaException(string call, int status, string message)
        : base(message) => (Call, Status) = (call, status);

    /// <summary>The call that failed, such as <c>cuMemAlloc</c>.</summary>
    public string Call { get; }

    /// <summary>The status it returned.</summary>
    public int Status { get; }

    internal bool IsOfCudnn => Call.StartsWith("cudnn", StringComparison.Ordinal);

    internal static void ThrowIfFailed(int status, string call)
    {
        if (status != Driver.Success)
        {
            throw OfDriver(status, call);
        }
    }

    internal static unsafe CudaException OfDriver(int status, string call, string about = "")
    {
        byte* name = null;
        byte* text = null;
        _ = Driver.GetErrorName(status, &name); // leaves null where the number is unknown
        _ = Driver.GetErrorString(status, &text);
        string words = Marshal.PtrToStringUTF8((nint)text) ?? "no description";
        return Make(call, status, Marshal.PtrToStringUTF8((nint)name) ?? "an unknown status", about, $"{words}.{Advice(status)}");
    }

    internal static CudaException OfCublas(int status, string call, string about = "") =>
        Make(call, status, Cublas.StatusName(status), about, status == 3 ? Advice(Driver.OutOfMemory) : "");

    internal static unsafe CudaException OfCudnn(int status, string call, string about = "") =>
        Make(call, status, Marshal.PtrToStringUTF8((nint)Cudnn.GetErrorString(status)) ?? "an unknown status", about, "");

    private static CudaException Make(string call, int status, string name, string about, string rest)
    {
        string subject = about.Length == 0 ? "" : $" ({about})";
        return new CudaException(call, status, $"{call}{subject} failed with {name} ({status}). {rest}".TrimEnd());
    }

    private static string Advice(int status) => status switch
    {
        Driver.OutOfMemory => " Use a smaller training.batch, or end other programs that use this GPU.",
        209 or 222 => " The driver is too old for the kernels or for this GPU; install a newer one.",
        221 or 223 => " The driver must compile the kernels: its libnvidia-ptxjitcompiler has to be there, and CUDA_DISABLE_PTX_JIT must not be set.",
        >= 700 and < 720 => " Some kernel queued earlier may be at fault; the environment variable CUDA_LAUNCH_BLOCKING=1 makes its own call fail.",
        _ => "",
    };
}
