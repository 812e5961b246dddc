using Lipschitz.Tensors;

namespace Lipschitz.Cuda.Runtime;

/// <summary>Memory on the device, zeros at first; goes back to the device's pool when nothing refers to it any more.</summary>
internal sealed class CudaBuffer : DeviceBuffer
{
    private readonly MemoryPool _pool;
    private readonly MemoryBlock _block;

    public CudaBuffer(CudaContext context, int length)
        : base(Precision.Float32, length)
    {
        (_pool, _block) = context.Allocate(length);
        GC.AddMemoryPressure(_block.Bytes); // else the collector sees a small object and lets the device run full
    }

    ~CudaBuffer()
    {
        // A finaliser may run although the constructor threw, and must not call the driver.
        if (_block is not null)
        {
            GC.RemoveMemoryPressure(_block.Bytes);
            _pool.Drop(_block);
        }
    }

    /// <summary>The address of element 0.</summary>
    public nint Address => _block.Address;
}
