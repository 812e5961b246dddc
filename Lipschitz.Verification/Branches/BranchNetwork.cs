using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Verification.Branches;

/// <summary>A stage of a branch: <c>a = phi(W v + b)</c> of all raw slices v before it; on pictures, at each pixel, of it and those around it.</summary>
/// <param name="Weight">W [Outputs, Kernel, Kernel, Inputs], row by row; exact copies of the numbers in use.</param>
/// <param name="Bias">b [Outputs].</param>
/// <param name="Outputs">Columns of W v + b, of a pixel.</param>
/// <param name="Inputs">The width of all slices before, of a pixel.</param>
/// <param name="Function">phi; Identity for the last stage.</param>
/// <param name="Scalars">The raw scalars of phi; bounds hold for every value of them.</param>
/// <param name="Kernel">Taps in each direction, 1 for points; zeros around the picture.</param>
public sealed record DenseStage(
    double[] Weight, double[] Bias, int Outputs, int Inputs, Activation Function, double[] Scalars, int Kernel = 1)
{
    /// <summary>Columns of a, of a pixel.</summary>
    public int SliceWidth => Function.OutputColumns(Outputs);

    /// <summary>The numbers that an output sees: those of a pixel and its neighbours.</summary>
    internal int PatchLength => Kernel * Kernel * Inputs;
}

/// <summary>
/// A branch as the real function its effective weights define: raw slices v = [x; a_1; .. a_L], a_i = phi_i(W_i [x; .. a_(i-1)] + b_i), and
/// g(x) = W v + b. A <see cref="DenseNet"/> and a chain of linear layers, or convolutions, and activations are both of this form.
/// </summary>
/// <remarks>Points are pictures of one pixel. A picture's numbers lie pixel by pixel, the channels of a pixel side by side.</remarks>
public sealed class BranchNetwork
{
    private BranchNetwork(int inputWidth, IReadOnlyList<DenseStage> stages, DenseStage last, double[]? scales, int chained, int height, int width) =>
        (InputWidth, Stages, Last, Scales, Chained, Height, Width) = (inputWidth, stages, last, scales, chained, height, width);

    /// <summary>Columns of x, of a pixel.</summary>
    public int InputWidth { get; }

    /// <summary>Rows of pixels; 1 for points.</summary>
    public int Height { get; }

    /// <summary>Pixels of a row; 1 for points.</summary>
    public int Width { get; }

    /// <summary>Height times width.</summary>
    public int Pixels => Height * Width;

    /// <summary>The stages with a nonlinearity.</summary>
    public IReadOnlyList<DenseStage> Stages { get; }

    /// <summary>The linear stage at the end.</summary>
    public DenseStage Last { get; }

    /// <summary>
    /// Factors r_0 = 1, r_1, .. r_L of the slices, any positive single-precision numbers: <see cref="ProductBound"/> measures slice j in
    /// the norm |a_j|/r_j. Null for a chain, where every stage sees the slice before it only.
    /// </summary>
    public IReadOnlyList<double>? Scales { get; }

    /// <summary>The number of stages before the dense layers that <see cref="Scales"/> are about.</summary>
    public int Chained { get; }

    /// <summary>The width of all raw slices, of a pixel.</summary>
    public int TotalWidth => Last.Inputs;

    /// <summary>Reads a layer's effective weights; null for a layer of another form.</summary>
    public static BranchNetwork? From(ILayer layer) => layer switch
    {
        DenseNet net => FromDenseNet(net, null),
        Sequential { Layers: [Linear first, DenseNet { Convolution: null } net] } => FromDenseNet(net, first),
        Sequential chain => FromChain(chain),
        Linear or Convolution => FromChain(new Sequential(layer)),
        _ => null,
    };

    /// <summary>A chain on points from its stages.</summary>
    public static BranchNetwork Create(int inputWidth, IReadOnlyList<DenseStage> stages, DenseStage last) => new(inputWidth, stages, last, null, 0, 1, 1);

    /// <summary>Exact copies of a tensor's numbers, row by row.</summary>
    public static double[] Numbers(Tensor tensor)
    {
        var numbers = new double[tensor.Count];
        for (int i = 0; i < tensor.Rows; i++)
        {
            for (int j = 0; j < tensor.Columns; j++)
            {
                long at = tensor.Offset + ((long)i * tensor.Stride) + j;
                numbers[(i * tensor.Columns) + j] = tensor.Buffer switch
                {
                    HostBuffer<float> single => single.Span[(int)at],
                    HostBuffer<double> real => real.Span[(int)at],
                    _ => throw new NotSupportedException("Weights must be in host memory to be certified: load the model with a CPU backend."),
                };
            }
        }

        return numbers;
    }

    /// <summary>
    /// What the outputs of a stage at a pixel see of the slices [Pixels, TotalWidth]: [Kernel, Kernel, Inputs], <paramref name="outside"/>
    /// where that is outside the picture.
    /// </summary>
    internal void Patch<T>(DenseStage stage, int pixel, ReadOnlySpan<T> slices, T outside, Span<T> patch)
    {
        int reach = stage.Kernel / 2;
        for (int tap = 0; tap < stage.Kernel * stage.Kernel; tap++)
        {
            int y = (pixel / Width) + (tap / stage.Kernel) - reach, x = (pixel % Width) + (tap % stage.Kernel) - reach;
            Span<T> part = patch.Slice(tap * stage.Inputs, stage.Inputs);
            if (y >= 0 && y < Height && x >= 0 && x < Width)
            {
                slices.Slice(((y * Width) + x) * TotalWidth, stage.Inputs).CopyTo(part);
            }
            else
            {
                part.Fill(outside);
            }
        }
    }

    private static BranchNetwork FromDenseNet(DenseNet net, Linear? first)
    {
        // The dense layers do not see what the first layer does.
        int start = first?.InputWidth ?? 0, kernel = net.Convolution?.Kernel ?? 1;
        int height = net.Convolution?.Height ?? 1, width = net.Convolution?.Width ?? 1;
        var stages = new List<DenseStage>();
        if (first is not null)
        {
            stages.Add(Stage(first, start, start, 0, null));
        }

        for (int i = 0; i <= net.Depth; i++)
        {
            bool last = i == net.Depth;
            Tensor weight = net.EffectiveWeight(i);
            int size = last ? 1 : kernel, outputs = weight.Rows / (size * size);
            stages.Add(new(
                Widen(Numbers(weight), weight.Columns, start, start + weight.Columns), Numbers(net.Bias(i)), outputs, start + weight.Columns,
                last ? Activation.Identity : net.Activation, last ? [] : Numbers(net.ActivationParameters(i)), size));
        }

        // h_i carries slice j with the factor e2_j prod_{j<l<=i} e1_l; divided by prod_{l<=i} e1_l it no longer depends on i, and only
        // that matters for a bound: 1/r_j = e2_j / prod_{l<=j} e1_l. Single precision keeps W diag(r) exact in double.
        double product = 1;
        List<double> scales = first is null ? [1] : [1, 1];
        foreach ((double e1, double e2) in net.Concatenation.Factors().Take(net.Depth))
        {
            product *= e1;
            scales.Add((float)Math.Clamp(product / e2, 1e-15, 1e15));
        }

        int inputs = first?.InputWidth ?? net.InputWidth / (height * width);
        return new(inputs, stages[..^1], stages[^1], [.. scales], first is null ? 0 : 1, height, width);
    }

    // Linear layers and activations in any order: the weight of a stage sees the slice before it and zeros elsewhere. An activation
    // without a linear layer before it has the identity as its weight, and so has the end of a chain that ends with an activation.
    private static BranchNetwork? FromChain(Sequential chain)
    {
        ConvolutionShape[] shapes = [.. chain.Layers.OfType<Convolution>().Select(layer => layer.Shape with { Kernel = 1 }).Distinct()];
        bool mixed = shapes.Length > 1 || (shapes.Length == 1 && chain.Layers.Any(layer => layer is Linear));
        if (mixed || chain.Layers.Any(layer => layer is not (Linear or Convolution or ActivationLayer)))
        {
            return null;
        }

        (int height, int width) = shapes.Length == 0 ? (1, 1) : (shapes[0].Height, shapes[0].Width);
        if (chain.Layers.OfType<ActivationLayer>().Any(layer => !layer.Function.IsElementwise() && layer.Pixels != height * width))
        {
            return null; // it puts its outputs elsewhere than a stage does
        }

        var stages = new List<DenseStage>();
        int total = chain.InputWidth / (height * width), previous = total;
        for (int i = 0; i < chain.Layers.Count; i++)
        {
            ILayer? linear = chain.Layers[i] is ActivationLayer ? null : chain.Layers[i];
            int at = linear is null ? i : i + 1;
            var activation = at < chain.Layers.Count ? chain.Layers[at] as ActivationLayer : null;
            DenseStage stage = Stage(linear, previous, total, total - previous, activation);
            stages.Add(stage);
            previous = stage.SliceWidth;
            total += previous;
            i = linear is not null && activation is not null ? i + 1 : i;
        }

        if (chain.Layers[^1] is ActivationLayer)
        {
            stages.Add(Stage(null, previous, total, total - previous, null));
        }

        return new(chain.InputWidth / (height * width), stages[..^1], stages[^1], null, 0, height, width);
    }

    private static DenseStage Stage(ILayer? linear, int width, int total, int start, ActivationLayer? activation)
    {
        (double[] narrow, double[] bias, int kernel) = linear switch
        {
            Linear matrix => (Numbers(matrix.EffectiveWeight), Numbers(matrix.Bias), 1),
            Convolution convolution => (Numbers(convolution.EffectiveWeight), Numbers(convolution.Bias), convolution.Shape.Kernel),
            _ => ([.. Enumerable.Range(0, width * width).Select(k => k % (width + 1) == 0 ? 1.0 : 0)], new double[width], 1),
        };
        return new(
            Widen(narrow, width, start, total), bias, bias.Length, total, activation?.Function ?? Activation.Identity,
            activation is null ? [] : Numbers(activation.ActivationParameters), kernel);
    }

    // Zeros on both sides of the columns.
    private static double[] Widen(double[] narrow, int columns, int start, int total)
    {
        int rows = narrow.Length / columns;
        double[] wide = new double[rows * total];
        for (int i = 0; i < rows; i++)
        {
            narrow.AsSpan(i * columns, columns).CopyTo(wide.AsSpan((i * total) + start));
        }

        return wide;
    }
}
