using System.Runtime.CompilerServices;
using Lipschitz.Tensors;

namespace Lipschitz.Backends;

/// <summary>
/// What kernels ask of the shapes they are given (see <see cref="IBackend"/>), for whoever writes a back end; kernel is the name in messages, by default
/// that of the calling method.
/// </summary>
public static class KernelShapes
{
    /// <summary>A matrix of exactly this size.</summary>
    /// <exception cref="ShapeMismatchException">It has another.</exception>
    public static void Require(Tensor tensor, int rows, int columns, string argument, [CallerMemberName] string kernel = "") =>
        ShapeMismatchException.ThrowUnless(tensor, rows, columns, kernel, argument);

    /// <summary>As many numbers on the host as the tensor has.</summary>
    /// <exception cref="ShapeMismatchException">There are more or fewer.</exception>
    public static void RequireLength(int length, Tensor tensor, string argument, [CallerMemberName] string kernel = "")
    {
        if (length != tensor.Count)
        {
            throw new ShapeMismatchException($"{kernel}: {argument} has {length} numbers, expected {tensor.Count} for shape {tensor}.");
        }
    }

    /// <summary>A whole number of blocks of <paramref name="period"/> rows.</summary>
    /// <returns>The number of blocks.</returns>
    /// <exception cref="ShapeMismatchException">Rows are left over.</exception>
    public static int RequireBlocks(Tensor tensor, int period, string argument, [CallerMemberName] string kernel = "")
    {
        if (period < 0 || (period == 0 ? tensor.Rows != 0 : tensor.Rows % period != 0))
        {
            throw new ShapeMismatchException($"{kernel}: {argument} has shape {tensor}, expected a multiple of {period} rows.");
        }

        return period == 0 ? 0 : tensor.Rows / period;
    }

    /// <summary>Stacked rows: <paramref name="valueRows"/> (1 + T) of them.</summary>
    /// <returns>1 + T.</returns>
    /// <exception cref="ShapeMismatchException">Rows are left over, or the values are missing.</exception>
    public static int RequireStacked(Tensor tensor, int valueRows, string argument, [CallerMemberName] string kernel = "")
    {
        int blocks = RequireBlocks(tensor, valueRows, argument, kernel);
        if (valueRows > 0 && blocks == 0)
        {
            throw new ShapeMismatchException($"{kernel}: {argument} has shape {tensor}, expected at least {valueRows} rows.");
        }

        return blocks;
    }

    /// <summary>The parameters of an activation [1, count]; any empty tensor where it has none.</summary>
    /// <exception cref="ShapeMismatchException">There are more or fewer.</exception>
    public static void RequireParameters(Activation f, Tensor tensor, string argument, [CallerMemberName] string kernel = "")
    {
        int count = f.ParameterCount();
        if (count > 0 || tensor.Count > 0)
        {
            Require(tensor, 1, count, argument, kernel);
        }
    }

    /// <summary>A number of columns that the activation can take: an even one for MaxMin.</summary>
    /// <exception cref="ShapeMismatchException">It is odd.</exception>
    public static void RequireColumns(Activation f, int columns, [CallerMemberName] string kernel = "")
    {
        if (f == Activation.MaxMin && columns % 2 != 0)
        {
            throw new ShapeMismatchException($"{kernel}: MaxMin needs an even number of columns, not {columns}.");
        }
    }

    /// <summary>Room for op(source), op being the transpose where asked for, at row <paramref name="innerStart"/> of a packed matrix.</summary>
    /// <returns>The rows of op(source).</returns>
    /// <exception cref="ShapeMismatchException">It does not fit.</exception>
    public static int RequireRoom(Tensor source, bool transpose, PackedMatrix destination, int innerStart)
    {
        (int k, int n) = transpose ? (source.Columns, source.Rows) : (source.Rows, source.Columns);
        return n == destination.Columns && innerStart >= 0 && innerStart + k <= destination.Inner
            ? k
            : throw new ShapeMismatchException(
                $"Pack: source {source} (transposed: {transpose}) does not fit at row {innerStart} of [{destination.Inner}, {destination.Columns}].");
    }

    /// <summary>Room for the weight of a convolution, or of its adjoint, at input channel <paramref name="inputStart"/> of a packed one.</summary>
    /// <returns>The input channels of the weight.</returns>
    /// <exception cref="ShapeMismatchException">It does not fit.</exception>
    public static int RequireRoom(Tensor weight, bool adjoint, PackedConvolution destination, int inputStart)
    {
        const string Kernel = nameof(IBackend.PackConvolution);
        int taps = destination.Shape.Taps;
        int inputs = adjoint ? weight.Rows / taps : weight.Columns;
        Require(weight, adjoint ? inputs * taps : destination.Outputs * taps, adjoint ? destination.Outputs : inputs, "weight", Kernel);
        return inputStart >= 0 && inputStart + inputs <= destination.Inputs
            ? inputs
            : throw new ShapeMismatchException($"{Kernel}: {inputs} channels do not fit at channel {inputStart} of {destination.Inputs}.");
    }

    /// <summary>A kernel with a middle.</summary>
    /// <exception cref="ShapeMismatchException">Its size is even or not positive.</exception>
    public static void RequireKernel(ConvolutionShape shape, [CallerMemberName] string kernel = "")
    {
        if (shape.Kernel < 1 || shape.Kernel % 2 == 0)
        {
            throw new ShapeMismatchException($"{kernel}: a kernel of {shape.Kernel} x {shape.Kernel} has no middle; its size must be odd.");
        }
    }

    /// <summary>Whole pictures with the channels that a packed convolution takes and gives.</summary>
    /// <returns>The number of pictures.</returns>
    /// <exception cref="ShapeMismatchException">Channels or rows do not fit.</exception>
    public static int RequirePictures(Tensor x, PackedConvolution w, Tensor y, [CallerMemberName] string kernel = "")
    {
        Require(x, x.Rows, w.Inputs, "x", kernel);
        Require(y, x.Rows, w.Outputs, "y", kernel);
        return RequireBlocks(x, w.Shape.Pixels, "x", kernel);
    }

    /// <summary>As many coefficients of a series of one kind as of the other.</summary>
    /// <exception cref="ShapeMismatchException">There are more of one.</exception>
    public static void RequirePairs(ReadOnlySpan<double> values, ReadOnlySpan<double> cotangents, [CallerMemberName] string kernel = "")
    {
        if (values.Length != cotangents.Length)
        {
            throw new ShapeMismatchException($"{kernel}: {values.Length} values but {cotangents.Length} cotangents.");
        }
    }

    /// <summary>K [depth, 2] of a chain of concatenations, a width for each of its depth + 1 slices, and the factors [depth + 1, sum of widths].</summary>
    /// <exception cref="ShapeMismatchException">They do not go together.</exception>
    public static void RequireSlices(
        Tensor raw, ReadOnlySpan<int> sliceWidths, Tensor scales, string argument, [CallerMemberName] string kernel = "")
    {
        Require(raw, raw.Rows, 2, "raw", kernel);
        if (sliceWidths.Length != raw.Rows + 1)
        {
            throw new ShapeMismatchException($"{kernel}: {sliceWidths.Length} slice widths, expected {raw.Rows + 1}.");
        }

        int width = 0;
        foreach (int slice in sliceWidths)
        {
            width += slice;
        }

        Require(scales, raw.Rows + 1, width, argument, kernel);
    }
}
