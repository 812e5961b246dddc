using Lipschitz.Tensors;

namespace Lipschitz.Cuda.Runtime;

/// <summary>Memory on the device; goes back to the device's pool when nothing refers to it any more.</summary>
internal sealed class CudaBuffer : DeviceBuffer
{
    public CudaBuffer(CudaContext context, int length)
        : base(Precision.Float32, length) => throw new NotImplementedException(context.ToString());

    /// <summary>The address of element 0.</summary>
    public nint Address { get; }
}
