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

    /// <summary>Winograd's minimal filtering with tiles of 4 x 4 pixels.</summary>
    Winograd4,
}

/// <summary>The method of a convolution and what follows from it. Inputs and outputs are those of the operator at hand, adjoint or not.</summary>
internal readonly struct ConvolutionPlan
{
    /// <summary>With fewer channels the transforms take longer than the products; also, a register fits into a pixel.</summary>
    private const int WinogradChannels = 16;

    /// <summary>
    /// From here on tiles are of 4 x 4 pixels: 24 x 24. They make 1.4 to 1.6 times the speed at 28 x 28 and 32 x 32, for 2.25 times the memory
    /// of packed weights; on smaller pictures they gain less (1.3 times at 16 x 16, nothing at 8 x 8), where most of the weights are.
    /// </summary>
    private const int LargePicture = 24 * 24;

    /// <summary>
    /// Up to here, 8 x 8, a picture has too few tiles to fill the products of Winograd's method: gathering is about as fast on a picture at a time, and
    /// packed weights take 9/16 of the memory.
    /// </summary>
    private const int SmallPicture = 8 * 8;

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
            : shape.Kernel == 3 && Math.Min(inputs, outputs) >= WinogradChannels && shape.Pixels > SmallPicture
                ? (shape.Pixels >= LargePicture ? ConvolutionMethod.Winograd4 : ConvolutionMethod.Winograd2)
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

    /// <summary>Panels of outputs, the last one filled up.</summary>
    public int Panels => (Outputs + Width - 1) / Width;

    /// <summary>Rows of the packed factor of the methods that are one product.</summary>
    public int PackedInner => Method == ConvolutionMethod.Gather ? checked(Inputs * Shape.Taps) : Inputs;

    /// <summary>Columns of the packed factor of the methods that are one product.</summary>
    public int PackedColumns => Method == ConvolutionMethod.Scatter ? checked(Outputs * Shape.Taps) : Outputs;
}
