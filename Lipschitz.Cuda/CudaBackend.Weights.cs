using System.Runtime.CompilerServices;
using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>Norms of weights, weights scaled to a norm, factors of concatenations.</content>
internal sealed partial class CudaBackend
{
    private const int SmallMatrix = 1 << 16; // elements: one block is done before several have met
    private const int IterationTile = 64; // rows and columns of a tile of power_iterate_convolution
    private const int IterationDepth = 128; // inner indices that are worth a block
    private const int BlocksOfMultiprocessor = 8; // of kernels that go over elements in strides

    /// <inheritdoc/>
    public void PowerIterate(Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma)
    {
        (int m, int n) = (w.Rows, w.Columns);
        Require(u, 1, m, "u");
        Require(v, 1, n, "v");
        Require(sigma, 1, 1, "sigma");
        int blocks = w.Count <= SmallMatrix ? 1 : Math.Min((Math.Max(m, n) + 31) / 32, IterationBlocks("power_iterate"));
        using Scratch left = _context.Rent((long)m * sizeof(float));
        using Scratch right = _context.Rent((long)n * sizeof(float));
        using Scratch counter = _context.Rent(sizeof(uint));
        LaunchIteration(
            "power_iterate", blocks, counter, w, iterations, tolerance, u, v, sigma, left.Address, right.Address, counter.Address);
        Alive(w, u, v);
        GC.KeepAlive(sigma.Buffer);
    }

    /// <inheritdoc/>
    public void PowerIterateConvolution(
        ConvolutionShape shape, Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma)
    {
        const string Kernel = "power_iterate_convolution";
        RequireKernel(shape);
        int outputs = w.Rows / shape.Taps, inputs = w.Columns;
        Require(w, outputs * shape.Taps, inputs, "w");
        Require(u, 1, shape.Pixels * outputs, "u");
        Require(v, 1, shape.Pixels * inputs, "v");
        Require(sigma, 1, 1, "sigma");
        int most = IterationBlocks(Kernel);
        Cut forward = Cut.Of(shape, inputs, outputs, most), adjoint = Cut.Of(shape, outputs, inputs, most);
        int blocks = (int)Math.Clamp(Math.Max(forward.Units, adjoint.Units), 1, most);
        using Scratch left = _context.Rent((long)u.Columns * sizeof(float));
        using Scratch right = _context.Rent((long)v.Columns * sizeof(float));
        using Scratch parts = _context.Rent(Math.Max((long)forward.Splits * u.Columns, (long)adjoint.Splits * v.Columns) * sizeof(float));
        using Scratch sums = _context.Rent((long)blocks * sizeof(double));
        using Scratch counter = _context.Rent(sizeof(uint));
        LaunchIteration(
            Kernel, blocks, counter, w, shape.Height, shape.Width, shape.Kernel, iterations, tolerance, u, v, sigma,
            forward.Depth, adjoint.Depth, left.Address, right.Address, parts.Address, sums.Address, counter.Address);
        Alive(w, u, v);
        GC.KeepAlive(sigma.Buffer);
    }

    /// <inheritdoc/>
    public void NormaliseWeight(Tensor w, Tensor sigma, double coefficient, Tensor columnScale, Tensor effective)
    {
        Require(sigma, 1, 1, "sigma");
        Require(columnScale, 1, w.Columns, "columnScale");
        Require(effective, w.Rows, w.Columns, "effective");
        _context.Launch("normalise_weight", Strided(w.Count), w, sigma, coefficient, columnScale, effective);
        Alive(w, sigma, columnScale);
        GC.KeepAlive(effective.Buffer);
    }

    /// <inheritdoc/>
    public void NormaliseWeightBackward(
        Tensor w, Tensor u, Tensor v, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient)
    {
        Require(u, 1, w.Rows, "u");
        Require(v, 1, w.Columns, "v");
        RequireNormalised(w, sigma, columnScale, gradient, columnGradient);
        using Scratch product = _context.Rent(sizeof(double));
        ColumnGradient(w, sigma, coefficient, columnScale, gradient, columnGradient, product);
        _context.Launch("weight_gradient_outer", Strided(gradient.Count), sigma, coefficient, columnScale, u, v, product.Address, gradient);
        Alive(sigma, columnScale);
        Alive(u, v, gradient);
    }

    /// <inheritdoc/>
    public void NormaliseWeightBackward(
        Tensor w, Tensor sigmaGradient, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient)
    {
        Require(sigmaGradient, w.Rows, w.Columns, "sigmaGradient");
        RequireNormalised(w, sigma, columnScale, gradient, columnGradient);
        using Scratch product = _context.Rent(sizeof(double));
        ColumnGradient(w, sigma, coefficient, columnScale, gradient, columnGradient, product);
        _context.Launch(
            "weight_gradient_along", Strided(gradient.Count), sigma, coefficient, columnScale, sigmaGradient, product.Address, gradient);
        Alive(sigma, columnScale, sigmaGradient);
        GC.KeepAlive(gradient.Buffer);
    }

    /// <inheritdoc/>
    public void ConcatenationScales(Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scales)
    {
        RequireSlices(raw, sliceWidths, scales, "scales");
        using Scratch widths = _context.Rent((long)sliceWidths.Length * sizeof(int));
        _context.UploadConstants(sliceWidths, widths.Address);
        _context.Launch("concatenation_scales", Grid.Elements(scales.Columns), raw, bound, widths.Address, scales);
        Alive(raw, scales);
    }

    /// <inheritdoc/>
    public void ConcatenationScalesBackward(
        Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scalesGradient, Tensor rawGradient)
    {
        RequireSlices(raw, sliceWidths, scalesGradient, "scalesGradient");
        Require(rawGradient, raw.Rows, 2, "rawGradient");
        int slices = sliceWidths.Length;
        using Scratch widths = _context.Rent((long)slices * sizeof(int));
        using Scratch sums = _context.Rent((long)slices * slices * sizeof(double));
        using Scratch factors = _context.Rent((long)slices * slices * sizeof(double));
        _context.UploadConstants(sliceWidths, widths.Address);
        _context.Launch("concatenation_sums", new Grid(slices, slices, 1, 32), widths.Address, scalesGradient, sums.Address);
        _context.Launch("concatenation_backward", Grid.Blocks(1, 32), raw, bound, sums.Address, factors.Address, rawGradient);
        Alive(raw, scalesGradient, rawGradient);
    }

    /// <summary>The most blocks of a power iteration: two a multiprocessor hide each other's waiting, more only make the meetings longer.</summary>
    private int IterationBlocks(string kernel) =>
        Math.Max(1, Math.Min(2 * _context.Multiprocessors, _context.CooperativeBlocks(kernel, Grid.DefaultThreads)));

    /// <summary>Queues a power iteration; one block alone meets nobody and needs no counter.</summary>
    private void LaunchIteration(string kernel, int blocks, Scratch counter, params ReadOnlySpan<Argument> arguments)
    {
        if (blocks == 1)
        {
            _context.Launch(kernel, Grid.Blocks(1), arguments);
        }
        else
        {
            _context.Clear(counter.Address, sizeof(uint));
            _context.LaunchCooperative(kernel, Grid.Blocks(blocks), arguments);
        }
    }

    /// <summary>columnGradient, and the sum of gradient columnScale w: two of the three passes of <see cref="NormaliseWeight"/>'s adjoint.</summary>
    private void ColumnGradient(
        Tensor w, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient, Scratch product)
    {
        int chunks = Math.Clamp((w.Rows + 255) / 256, 1, 64);
        int rows = (w.Rows + chunks - 1) / chunks; // of a chunk
        using Scratch dots = _context.Rent((long)chunks * w.Columns * sizeof(double));
        var grid = new Grid((w.Columns + 31) / 32, chunks, 1, Grid.DefaultThreads);
        _context.Launch("weight_dots", grid, w, gradient, rows, dots.Address);
        _context.Launch(
            "weight_column_gradient", Grid.Blocks(1),
            dots.Address, chunks, sigma, coefficient, columnScale, columnGradient, product.Address);
        Alive(w, sigma, columnScale);
        GC.KeepAlive(columnGradient.Buffer);
    }

    private Grid Strided(int elements) =>
        Grid.Blocks(Math.Min(Grid.Elements(elements).X, BlocksOfMultiprocessor * _context.Multiprocessors));

    private static void RequireNormalised(
        Tensor w, Tensor sigma, Tensor columnScale, Tensor gradient, Tensor columnGradient, [CallerMemberName] string kernel = "")
    {
        Require(sigma, 1, 1, "sigma", kernel);
        Require(columnScale, 1, w.Columns, "columnScale", kernel);
        Require(gradient, w.Rows, w.Columns, "gradient", kernel);
        Require(columnGradient, 1, w.Columns, "columnGradient", kernel);
    }

    /// <summary>How one direction of a convolution is shared among blocks.</summary>
    /// <param name="Units">Tiles times splits.</param>
    /// <param name="Splits">Parts of the inner dimension.</param>
    /// <param name="Depth">Inner indices of a part.</param>
    private readonly record struct Cut(long Units, int Splits, int Depth)
    {
        public static Cut Of(ConvolutionShape shape, int inputs, int outputs, int blocks)
        {
            long tiles = (long)Tiles(shape.Pixels) * Tiles(outputs);
            int inner = shape.Taps * inputs;
            InnerSplit split = InnerSplit.Of(inner, Math.Min(blocks / Math.Max(tiles, 1), (inner + IterationDepth - 1) / IterationDepth));
            return new Cut(tiles * split.Count, split.Count, split.Depth);
        }

        private static int Tiles(int length) => (length + IterationTile - 1) / IterationTile;
    }
}
