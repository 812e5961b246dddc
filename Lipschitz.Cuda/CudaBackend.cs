using System.Runtime.CompilerServices;
using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda;

/// <summary>Float32 kernels on an NVIDIA GPU. Kernels are queued and return at once; only downloads wait.</summary>
/// <param name="context">The device; disposed with the backend.</param>
/// <param name="products">Matrix products.</param>
/// <param name="convolutions">Convolutions by cuDNN; null to gather pixels and multiply.</param>
internal sealed partial class CudaBackend(CudaContext context, IProducts products, IConvolutions? convolutions)
{
    // ": IBackend" is added when the parts are complete.
    private readonly CudaContext _context = context;
    private readonly IProducts _products = products;
    private readonly IConvolutions? _convolutions = convolutions;

    private static void Require(Tensor tensor, int rows, int columns, string name, [CallerMemberName] string kernel = "")
    {
        if (tensor.Rows != rows || tensor.Columns != columns)
        {
            throw new ShapeMismatchException($"{kernel}: {name} is [{tensor.Rows}, {tensor.Columns}] but must be [{rows}, {columns}].");
        }
    }
}
