using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>Convolutions: by cuDNN; where it is missing or declines, and for kernels of 1 x 1, as products.</content>
internal sealed partial class CudaBackend
{
    /// <summary>Bytes of gathered pixels at once: about what stays in the second-level cache.</summary>
    internal long GatheredBytes { get; set; } = 64 << 20; // tests lower it

    /// <inheritdoc/>
    public PackedConvolution CreatePackedConvolution(ConvolutionShape shape, int inputs, int outputs) =>
        new CudaPackedConvolution(_context, shape, inputs, outputs);

    /// <inheritdoc/>
    public void PackConvolution(Tensor weight, bool adjoint, PackedConvolution destination, int inputStart = 0)
    {
        int taps = destination.Shape.Taps;
        int inputs = RequireRoom(weight, adjoint, destination, inputStart);

        _context.Launch(
            "pack_convolution", Grid.Elements(weight.Count), weight, adjoint ? 1 : 0, taps, inputStart, ((CudaPackedConvolution)destination).Filter);
        GC.KeepAlive(weight.Buffer);
        GC.KeepAlive(destination);
    }

    /// <inheritdoc/>
    public void Convolve(Tensor x, PackedConvolution w, double beta, Tensor y)
    {
        RequirePictures(x, w, y);
        var packed = (CudaPackedConvolution)w;
        if (w.Shape.Kernel == 1)
        {
            _products.Multiply(x, false, packed.Filter, true, (float)beta, y);
        }
        else if (_convolutions is null || !_convolutions.TryForward(w.Shape, x, ((DeviceView)packed.Filter).Data, (float)beta, y))
        {
            ForEachGathered(w.Shape, x, (rows, pixels) =>
                _products.Multiply(pixels, false, packed.Matrix, true, (float)beta, y.RowRange(rows.Start, rows.Count)));
        }

        Alive(x, y);
        GC.KeepAlive(w);
    }

    /// <inheritdoc/>
    public void ConvolveActivate(
        Tensor x, PackedConvolution w, Tensor bias, Activation f, Tensor parameters, int valueRows, Tensor pre, Tensor y)
    {
        RequireBlocks(pre.RowRange(0, valueRows), w.Shape.Pixels, "valueRows");
        Convolve(x, w, 0, pre);
        BiasActivate(bias, f, parameters, pre, valueRows, y);
    }

    /// <inheritdoc/>
    public void ConvolutionWeightGradient(ConvolutionShape shape, Tensor x, Tensor yGradient, Tensor gradient)
    {
        RequireKernel(shape);
        RequireBlocks(x, shape.Pixels, "x");
        Require(yGradient, x.Rows, yGradient.Columns, "yGradient");
        Require(gradient, yGradient.Columns * shape.Taps, x.Columns, "gradient");
        if (shape.Kernel == 1)
        {
            _products.Multiply(yGradient, true, x, false, 1, gradient);
        }
        else if (x.Rows == 0)
        {
            return; // nothing to add
        }
        else if (gradient.IsContiguous)
        {
            AddWeightGradient(shape, x, yGradient, 1, new DeviceView(gradient).Data);
        }
        else
        {
            using Scratch sum = _context.Rent((long)gradient.Count * sizeof(float));
            AddWeightGradient(shape, x, yGradient, 0, sum.Address);
            var part = new DeviceView(sum.Address, gradient.Rows, gradient.Columns, gradient.Columns);
            _context.Launch("add_parts", Grid.Elements(gradient.Count), part, 1, 1f, gradient);
        }

        Alive(x, yGradient, gradient);
    }

    /// <summary>gradient [outputs, taps inputs] without gaps &lt;- the weight gradient + beta gradient.</summary>
    private void AddWeightGradient(ConvolutionShape shape, Tensor x, Tensor yGradient, float beta, nint gradient)
    {
        if (_convolutions is not null && _convolutions.TryBackwardFilter(shape, x, yGradient, beta, gradient))
        {
            return;
        }

        // Sums of one part of the pixels after the other: a fixed order.
        int inner = shape.Taps * x.Columns;
        var target = new DeviceView(gradient, yGradient.Columns, inner, inner);
        ForEachGathered(shape, x, (rows, pixels) =>
            _products.Multiply(yGradient.RowRange(rows.Start, rows.Count), true, pixels, false, rows.Start == 0 ? beta : 1, target));
    }

    /// <summary>
    /// Gathers the pixels under the kernel of some rows of x after others, [rows, taps inputs], and queues what is to be done with them.
    /// </summary>
    private void ForEachGathered(ConvolutionShape shape, Tensor x, Action<(int Start, int Count), DeviceView> use)
    {
        int inner = checked(shape.Taps * x.Columns);
        long rowBytes = (long)inner * sizeof(float);
        int most = (int)Math.Clamp(GatheredBytes / Math.Max(rowBytes, 1), 1, Math.Max(x.Rows, 1));
        using Scratch memory = _context.Rent(most * rowBytes);
        int threads = Math.Clamp((inner + 31) / 32 * 32, 32, Grid.DefaultThreads);
        for (int start = 0; start < x.Rows; start += most)
        {
            int count = Math.Min(most, x.Rows - start);
            var pixels = new DeviceView(memory.Address, count, inner, inner);
            _context.Launch("gather_pixels", Grid.Blocks(count, threads), x, shape.Height, shape.Width, shape.Kernel, start, pixels);
            use((start, count), pixels);
        }
    }
}
