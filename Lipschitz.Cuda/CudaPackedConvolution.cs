using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;

namespace Lipschitz.Cuda;

/// <summary>
/// A packed convolution on the device: its filter [outputs taps, inputs] without gaps. cuDNN takes that as it is; read as [outputs, taps inputs] it is the
/// right factor, transposed, of the product with gathered pixels. An adjoint is packed with its taps in reverse, as the convolution that it is.
/// </summary>
internal sealed class CudaPackedConvolution(CudaContext context, ConvolutionShape shape, int inputs, int outputs)
    : PackedConvolution(shape, inputs, outputs)
{
    /// <summary>The numbers, [outputs taps, inputs].</summary>
    public Tensor Filter { get; } =
        new(new CudaBuffer(context, checked(outputs * shape.Taps * inputs)), 0, outputs * shape.Taps, inputs, inputs);

    /// <summary>The same memory as [outputs, taps inputs].</summary>
    public Tensor Matrix => Filter.Reshape(Outputs, Shape.Taps * Inputs);
}
