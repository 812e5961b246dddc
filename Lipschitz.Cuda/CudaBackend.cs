using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda;

/// <summary>Float32 kernels on an NVIDIA GPU. Kernels are queued and return at once; only downloads wait.</summary>
/// <param name="context">The device; disposed with the backend.</param>
/// <param name="products">Matrix products.</param>
/// <param name="convolutions">Convolutions by cuDNN; null to gather pixels and multiply.</param>
internal sealed partial class CudaBackend(CudaContext context, IProducts products, IConvolutions? convolutions) : IBackend
{
    private readonly CudaContext _context = context;
    private readonly IProducts _products = products;
    private readonly IConvolutions? _convolutions = convolutions;

    /// <summary>Keeps buffers from being collected up to here: kernels are queued with bare addresses.</summary>
    private static void Alive(Tensor x, Tensor y = default, Tensor z = default)
    {
        GC.KeepAlive(x.Buffer);
        GC.KeepAlive(y.Buffer);
        GC.KeepAlive(z.Buffer);
    }
}
