using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda;

/// <summary>A packed matrix on the device: [inner, columns], row by row without gaps, which is what libraries multiply fastest.</summary>
internal sealed class CudaPackedMatrix(CudaContext context, int inner, int columns) : PackedMatrix(inner, columns)
{
    /// <summary>The numbers, [inner, columns].</summary>
    public Tensor Matrix { get; } = new(new CudaBuffer(context, checked(inner * columns)), 0, inner, columns, columns);
}
