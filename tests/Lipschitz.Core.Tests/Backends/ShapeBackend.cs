using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Backends;

/// <summary>A backend whose kernels do nothing: for the shapes and counts of models that would take long to set up.</summary>
internal sealed class ShapeBackend : IBackend
{
    public string Name => "shapes";

    public Precision Precision => Precision.Float32;

    public int Threads => 1;

    public void Dispose()
    {
    }

    public DeviceBuffer AllocateBuffer(int length) => new HostBuffer<float>(length);

    public PackedMatrix CreatePacked(int inner, int columns) => new NoMatrix(inner, columns);

    public PackedConvolution CreatePackedConvolution(ConvolutionShape shape, int inputs, int outputs) => new NoConvolution(shape, inputs, outputs);

    public void Upload(ReadOnlySpan<double> source, Tensor destination)
    {
    }

    public void Download(Tensor source, Span<double> destination)
    {
    }

    public void Parallel(int count, Action<int> body)
    {
        for (int i = 0; i < count; i++)
        {
            body(i);
        }
    }

    public void Fill(Tensor x, double value)
    {
    }

    public void Copy(Tensor source, Tensor destination)
    {
    }

    public void Pack(Tensor source, bool transpose, PackedMatrix destination, int innerStart)
    {
    }

    public void Multiply(Tensor a, PackedMatrix b, double beta, Tensor c)
    {
    }

    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, double beta, Tensor c)
    {
    }

    public void Activate(Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor y)
    {
    }

    public void ActivationSlopes(Activation f, Tensor parameters, Tensor pre, Tensor slopes)
    {
    }

    public void SlopeVjp(Activation f, Tensor slopes, Tensor w, Tensor result)
    {
    }

    public void SlopeJvp(Activation f, Tensor slopes, Tensor t, Tensor result)
    {
    }

    public void ActivationBackward(
        Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor gradient, Tensor preGradient, Tensor parameterGradient)
    {
    }

    public void AddRow(Tensor row, Tensor y)
    {
    }

    public void ColumnSums(Tensor x, double beta, Tensor sums)
    {
    }

    public void ColumnMoments(Tensor x, Tensor mean, Tensor variance)
    {
    }

    public void RowDots(double alpha, Tensor x, Tensor y, double beta, Tensor dots)
    {
    }

    public void ScaleRows(Tensor factors, Tensor x, Tensor y)
    {
    }

    public void Axpby(double alpha, Tensor x, double beta, Tensor y)
    {
    }

    public bool AllFinite(Tensor x) => true;

    public void ActNormForward(Tensor x, Tensor shift, Tensor logScale, int rowsPerSample, Tensor y, Tensor logDet)
    {
    }

    public void ActNormInverse(Tensor y, Tensor shift, Tensor logScale, Tensor x)
    {
    }

    public void ActNormBackward(
        Tensor y, Tensor logScale, int rowsPerSample, Tensor yGradient, Tensor logDetGradient, Tensor xGradient, Tensor shiftGradient, Tensor logScaleGradient)
    {
    }

    public void CompleteBasis(Tensor probe, Tensor tangents)
    {
    }

    public void SolveJacobians(Tensor tangents, Tensor images, Tensor jacobians)
    {
    }

    public void ExactLogDet(Tensor jacobians, Tensor logDet, Tensor cotangents)
    {
    }

    public void SeriesLogDet(
        Tensor jacobians, Tensor probe, ReadOnlySpan<double> values, ReadOnlySpan<double> cotangents, Tensor logDet, Tensor cotangent)
    {
    }

    public void PowerIterate(Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma)
    {
    }

    public void NormaliseWeight(Tensor w, Tensor sigma, double coefficient, Tensor columnScale, Tensor effective)
    {
    }

    public void NormaliseWeightBackward(
        Tensor w, Tensor u, Tensor v, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient)
    {
    }

    public void ConcatenationScales(Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scales)
    {
    }

    public void ConcatenationScalesBackward(
        Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scalesGradient, Tensor rawGradient)
    {
    }

    public void Norm(Tensor x, Tensor norm)
    {
    }

    public void Adam(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, Tensor average, Tensor norm, double clip, AdamStep step)
    {
    }

    public void FillNormal(RandomKey key, long firstRow, Tensor x)
    {
    }

    public void FillSigns(RandomKey key, long firstRow, Tensor x)
    {
    }

    public void PackConvolution(Tensor weight, bool adjoint, PackedConvolution destination, int inputStart)
    {
    }

    public void Convolve(Tensor x, PackedConvolution w, double beta, Tensor y)
    {
    }

    public void ConvolutionWeightGradient(ConvolutionShape shape, Tensor x, Tensor yGradient, Tensor gradient)
    {
    }

    public void PowerIterateConvolution(ConvolutionShape shape, Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma)
    {
    }

    public void NormaliseWeightBackward(
        Tensor w, Tensor sigmaGradient, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient)
    {
    }

    public void Squeeze(Tensor x, ImageShape shape, Tensor y)
    {
    }

    public void Unsqueeze(Tensor y, ImageShape shape, Tensor x)
    {
    }

    public void LogitForward(Tensor x, double alpha, Tensor y, Tensor logDet)
    {
    }

    public void LogitInverse(Tensor y, double alpha, Tensor x)
    {
    }

    public void LogitBackward(Tensor y, double alpha, Tensor yGradient, Tensor logDetGradient, Tensor xGradient)
    {
    }

    public void SoftmaxCrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor gradient)
    {
    }

    private sealed class NoMatrix(int inner, int columns) : PackedMatrix(inner, columns);

    private sealed class NoConvolution(ConvolutionShape shape, int inputs, int outputs) : PackedConvolution(shape, inputs, outputs);
}
