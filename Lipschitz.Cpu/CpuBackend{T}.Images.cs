using Lipschitz.Backends;
using Lipschitz.Cpu.Kernels;
using Lipschitz.Cpu.Kernels.Convolution;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cpu;

/// <content>Pictures, classes.</content>
internal sealed partial class CpuBackend<T, TVector, TLanes>
{
    // ---- convolution ----

    /// <inheritdoc/>
    public PackedConvolution CreatePackedConvolution(ConvolutionShape shape, int inputs, int outputs)
    {
        ConvolutionPlan plan = ConvolutionKernels<T, TVector, TLanes>.Plan(shape, inputs, outputs);
        return new CpuPackedConvolution<T>(plan, ConvolutionKernels<T, TVector, TLanes>.Length(plan));
    }

    /// <inheritdoc/>
    public unsafe void PackConvolution(Tensor weight, bool adjoint, PackedConvolution destination, int inputStart = 0)
    {
        int taps = destination.Shape.Taps;
        int inputs = RequireRoom(weight, adjoint, destination, inputStart);

        var packed = (CpuPackedConvolution<T>)destination;
        ConvolutionKernels<T, TVector, TLanes>.Pack(packed.Plan, new(weight), adjoint, inputStart, packed.Data);
        Alive(weight);
        GC.KeepAlive(packed);
    }

    /// <inheritdoc/>
    public unsafe void Convolve(Tensor x, PackedConvolution w, double beta, Tensor y)
    {
        RequirePictures(x, w, y);
        var packed = (CpuPackedConvolution<T>)w;
        ConvolutionKernels<T, TVector, TLanes>.Convolve(packed.Plan, packed.Data, new(x), T.CreateTruncating(beta), null, 0, new(y));
        Alive(x, y);
        GC.KeepAlive(packed);
    }

    /// <inheritdoc/>
    public unsafe void ConvolveActivate(
        Tensor x, PackedConvolution w, Tensor bias, Activation f, Tensor parameters, int valueRows, Tensor pre, Tensor y)
    {
        RequirePictures(x, w, pre);
        Require(bias, 1, w.Outputs, "bias");
        RequireBlocks(pre.RowRange(0, valueRows), w.Shape.Pixels, "valueRows");
        var packed = (CpuPackedConvolution<T>)w;
        ConvolutionKernels<T, TVector, TLanes>.Convolve(
            packed.Plan, packed.Data, new(x), T.Zero, new View<T>(bias).Data, valueRows, new(pre));
        Activate(f, parameters, pre, valueRows, y);
        Alive(x, bias);
        GC.KeepAlive(packed);
    }

    /// <inheritdoc/>
    public void ConvolutionWeightGradient(ConvolutionShape shape, Tensor x, Tensor yGradient, Tensor gradient)
    {
        RequireKernel(shape);
        RequireBlocks(x, shape.Pixels, "x");
        Require(yGradient, x.Rows, yGradient.Columns, "yGradient");
        Require(gradient, yGradient.Columns * shape.Taps, x.Columns, "gradient");
        ConvolutionPlan plan = ConvolutionKernels<T, TVector, TLanes>.Plan(shape, x.Columns, yGradient.Columns);
        ConvolutionKernels<T, TVector, TLanes>.WeightGradient(plan, new(x), new(yGradient), new(gradient));
        Alive(x, yGradient, gradient);
    }

    /// <inheritdoc/>
    public void PowerIterateConvolution(
        ConvolutionShape shape, Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma)
    {
        RequireKernel(shape);
        int outputs = w.Rows / shape.Taps;
        Require(w, outputs * shape.Taps, w.Columns, "w");
        Require(u, 1, shape.Pixels * outputs, "u");
        Require(v, 1, shape.Pixels * w.Columns, "v");
        Require(sigma, 1, 1, "sigma");
        ConvolutionNorm<T, TVector, TLanes>.Iterate(shape, new(w), iterations, tolerance, new(u), new(v), new(sigma));
        Alive(w, u, v);
        Alive(sigma);
    }

    /// <inheritdoc/>
    public void NormaliseWeightBackward(
        Tensor w, Tensor sigmaGradient, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient)
    {
        Require(sigmaGradient, w.Rows, w.Columns, "sigmaGradient");
        Require(sigma, 1, 1, "sigma");
        Require(columnScale, 1, w.Columns, "columnScale");
        Require(gradient, w.Rows, w.Columns, "gradient");
        Require(columnGradient, 1, w.Columns, "columnGradient");
        WeightKernels<T, TVector, TLanes>.NormaliseBackward(
            new(w), new(sigmaGradient), Scalar(sigma), coefficient, new(columnScale), new(gradient), new(columnGradient));
        Alive(w, sigmaGradient, columnScale);
        Alive(gradient, columnGradient);
    }

    // ---- pictures ----

    /// <inheritdoc/>
    public void Squeeze(Tensor x, ImageShape shape, Tensor y)
    {
        Require(x, x.Rows, shape.Count, "x");
        Require(y, x.Rows, shape.Squeezed.Count, "y");
        PictureKernels<T>.Squeeze(new(x), shape, new(y), isBack: false);
        Alive(x, y);
    }

    /// <inheritdoc/>
    public void Unsqueeze(Tensor y, ImageShape shape, Tensor x)
    {
        Require(x, y.Rows, shape.Count, "x");
        Require(y, y.Rows, shape.Squeezed.Count, "y");
        PictureKernels<T>.Squeeze(new(x), shape, new(y), isBack: true);
        Alive(x, y);
    }

    /// <inheritdoc/>
    public void LogitForward(Tensor x, double alpha, Tensor y, Tensor logDet)
    {
        Require(y, x.Rows, x.Columns, "y");
        Require(logDet, x.Rows, 1, "logDet");
        PictureKernels<T>.LogitForward(new(x), alpha, new(y), new(logDet));
        Alive(x, y, logDet);
    }

    /// <inheritdoc/>
    public void LogitInverse(Tensor y, double alpha, Tensor x)
    {
        Require(x, y.Rows, y.Columns, "x");
        PictureKernels<T>.LogitInverse(new(y), alpha, new(x));
        Alive(x, y);
    }

    /// <inheritdoc/>
    public void LogitBackward(Tensor y, double alpha, Tensor yGradient, Tensor logDetGradient, Tensor xGradient)
    {
        Require(yGradient, y.Rows, y.Columns, "yGradient");
        Require(logDetGradient, y.Rows, 1, "logDetGradient");
        Require(xGradient, y.Rows, y.Columns, "xGradient");
        PictureKernels<T>.LogitBackward(new(y), alpha, new(yGradient), new(logDetGradient), new(xGradient));
        Alive(y, yGradient, logDetGradient);
        Alive(xGradient);
    }

    // ---- classes ----

    /// <inheritdoc/>
    public void SoftmaxCrossEntropy(Tensor logits, Tensor labels, Tensor loss, Tensor gradient)
    {
        Require(labels, logits.Rows, 1, "labels");
        Require(loss, logits.Rows, 1, "loss");
        Require(gradient, logits.Rows, logits.Columns, "gradient");
        PictureKernels<T>.SoftmaxCrossEntropy(new(logits), new(labels), new(loss), new(gradient));
        Alive(logits, labels, loss);
        Alive(gradient);
    }
}
