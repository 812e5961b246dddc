using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu;

/// <content>Pictures, classes: the reference's loops.</content>
internal sealed partial class CpuBackend<T, TVector, TLanes>
{
    private static readonly ReferenceBackend<T> s_reference = new();

    /// <inheritdoc/>
    public PackedConvolution CreatePackedConvolution(ConvolutionShape shape, int inputs, int outputs) => s_reference.CreatePackedConvolution(shape, inputs, outputs);

    /// <inheritdoc/>
    public void PackConvolution(Tensor weight, bool adjoint, PackedConvolution destination, int inputStart = 0) =>
        s_reference.PackConvolution(weight, adjoint, destination, inputStart);

    /// <inheritdoc/>
    public void Convolve(Tensor x, PackedConvolution w, double beta, Tensor y) => s_reference.Convolve(x, w, beta, y);

    /// <inheritdoc/>
    public void ConvolutionWeightGradient(ConvolutionShape shape, Tensor x, Tensor yGradient, Tensor gradient) =>
        s_reference.ConvolutionWeightGradient(shape, x, yGradient, gradient);

    /// <inheritdoc/>
    public int PowerIterateConvolution(ConvolutionShape shape, Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma) =>
        s_reference.PowerIterateConvolution(shape, w, iterations, tolerance, u, v, sigma);

    /// <inheritdoc/>
    public void NormaliseWeightBackward(
        Tensor w, Tensor sigmaGradient, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient) =>
        s_reference.NormaliseWeightBackward(w, sigmaGradient, sigma, coefficient, columnScale, gradient, columnGradient);

    /// <inheritdoc/>
    public void Squeeze(Tensor x, ImageShape shape, Tensor y) => s_reference.Squeeze(x, shape, y);

    /// <inheritdoc/>
    public void Unsqueeze(Tensor y, ImageShape shape, Tensor x) => s_reference.Unsqueeze(y, shape, x);

    /// <inheritdoc/>
    public void LogitForward(Tensor x, double alpha, Tensor y, Tensor logDet) => s_reference.LogitForward(x, alpha, y, logDet);

    /// <inheritdoc/>
    public void LogitInverse(Tensor y, double alpha, Tensor x) => s_reference.LogitInverse(y, alpha, x);

    /// <inheritdoc/>
    public void LogitBackward(Tensor y, double alpha, Tensor yGradient, Tensor logDetGradient, Tensor xGradient) =>
        s_reference.LogitBackward(y, alpha, yGradient, logDetGradient, xGradient);

    /// <inheritdoc/>
    public void SoftmaxCrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor gradient) =>
        s_reference.SoftmaxCrossEntropy(logits, labels, loss, gradient);
}
