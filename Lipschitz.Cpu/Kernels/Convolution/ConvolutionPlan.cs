using Lipschitz.Backends;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>How a convolution is made into products.</summary>
internal enum ConvolutionMethod
{
    /// <summary>Kernel 1: a product, pixel by pixel.</summary>
    Product,

    /// <summary>The neighbours of each pixel side by side, times the weight. For few inputs and for kernels above 3.</summary>
    Gather,

    /// <summary>Each pixel times the weight of every tap, then sums over neighbours. For few outputs.</summary>
    Scatter,

    /// <summary>Winograd's minimal filtering with tiles of 2 x 2 pixels.</summary>
    Winograd2,
}

/// <summary>The method of a convolution and what follows from it. Inputs and outputs are those of the operator at hand, adjoint or not.</summary>
internal readonly struct ConvolutionPlan
{
    /// <summary>With fewer channels the transforms take longer than the products; also, a register fits into a pixel.</summary>
    private const int WinogradChannels = 16;

    private readonly int _width;
    private readonly int _lanes;

    public ConvolutionPlan(ConvolutionShape shape, int inputs, int outputs, int width, int lanes)
    {
        Shape = shape;
        Inputs = inputs;
        Outputs = outputs;
        _width = width;
        _lanes = lanes;
        Method =
            shape.Kernel == 1 ? ConvolutionMethod.Product
            : shape.Kernel == 3 && Math.Min(inputs, outputs) >= WinogradChannels ? ConvolutionMethod.Winograd2
            : outputs < inputs && outputs < width ? ConvolutionMethod.Scatter
            : ConvolutionMethod.Gather;
    }

    public ConvolutionShape Shape { get; }

    public int Inputs { get; }

    public int Outputs { get; }

    public ConvolutionMethod Method { get; }

    /// <summary>Columns of a panel of packed weights.</summary>
    public int Width => _width;

    /// <summary>Numbers in a register.</summary>
    public int Lanes => _lanes;

    /// <summary>Whether the method is one of Winograd's.</summary>
    public bool IsWinograd => Method == ConvolutionMethod.Winograd2;

    /// <summary>The planes of Winograd's domain.</summary>
    public int Planes => 16;

    /// <summary>Panels of outputs, the last one filled up.</summary>
    public int Panels => (Outputs + Width - 1) / Width;

    /// <summary>Rows of the packed factor of the methods that are one product.</summary>
    public int PackedInner => Method == ConvolutionMethod.Gather ? checked(Inputs * Shape.Taps) : Inputs;

    /// <summary>Columns of the packed factor of the methods that are one product.</summary>
    public int PackedColumns => Method == ConvolutionMethod.Scatter ? checked(Outputs * Shape.Taps) : Outputs;
}
