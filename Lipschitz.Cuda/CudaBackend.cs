using System.Runtime.CompilerServices;
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

    private static void Require(Tensor tensor, int rows, int columns, string argument, [CallerMemberName] string kernel = "") =>
        ShapeMismatchException.ThrowUnless(tensor, rows, columns, kernel, argument);

    private static void RequireBlocks(Tensor tensor, int period, string argument, [CallerMemberName] string kernel = "")
    {
        if (period < 0 || (period == 0 ? tensor.Rows != 0 : tensor.Rows % period != 0))
        {
            throw new ShapeMismatchException($"{kernel}: {argument} has shape {tensor}, expected a multiple of {period} rows.");
        }
    }

    /// <summary>Keeps buffers from being collected up to here: kernels are queued with bare addresses.</summary>
    private static void Alive(Tensor x, Tensor y = default, Tensor z = default)
    {
        GC.KeepAlive(x.Buffer);
        GC.KeepAlive(y.Buffer);
        GC.KeepAlive(z.Buffer);
    }
}
