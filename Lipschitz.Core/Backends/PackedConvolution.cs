using Lipschitz.Tensors;

namespace Lipschitz.Backends;

/// <summary>The pixels and the kernel of a convolution with stride 1 and zero padding <c>Kernel / 2</c>, so that it keeps height and width.</summary>
/// <param name="Height">Rows of pixels.</param>
/// <param name="Width">Pixels of a row.</param>
/// <param name="Kernel">Height and width of the kernel; odd.</param>
public readonly record struct ConvolutionShape(int Height, int Width, int Kernel)
{
    /// <summary>Height times width.</summary>
    public int Pixels => Height * Width;

    /// <summary>The numbers of a kernel for one pair of channels.</summary>
    public int Taps => Kernel * Kernel;
}

/// <summary>
/// A convolution from <see cref="Inputs"/> to <see cref="Outputs"/> channels, in whatever form its backend applies fastest. Filled once a step by
/// <see cref="IBackend.PackConvolution"/>, used by some ten products.
/// </summary>
/// <param name="shape">Pixels and kernel.</param>
/// <param name="inputs">Channels of the input.</param>
/// <param name="outputs">Channels of the output.</param>
public abstract class PackedConvolution(ConvolutionShape shape, int inputs, int outputs)
{
    /// <summary>Pixels and kernel.</summary>
    /// <exception cref="ShapeMismatchException">On construction: the kernel has no middle.</exception>
    public ConvolutionShape Shape { get; } = shape.Kernel > 0 && shape.Kernel % 2 == 1
        ? shape
        : throw new ShapeMismatchException($"A kernel of {shape.Kernel} x {shape.Kernel} has no middle; its size must be odd.");

    /// <summary>Channels of the input.</summary>
    public int Inputs { get; } = inputs;

    /// <summary>Channels of the output.</summary>
    public int Outputs { get; } = outputs;
}
