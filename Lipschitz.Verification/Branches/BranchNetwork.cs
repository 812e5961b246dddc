using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Verification.Branches;

/// <summary>A dense stage of a branch: <c>a = phi(W v + b)</c> of all raw slices v before it.</summary>
/// <param name="Weight">W [Outputs, Inputs], row by row; exact copies of the numbers in use.</param>
/// <param name="Bias">b [Outputs].</param>
/// <param name="Outputs">Rows of W, columns of W v + b.</param>
/// <param name="Inputs">Columns of W: the width of all slices before.</param>
/// <param name="Function">phi; Identity for the last stage.</param>
/// <param name="Scalars">The raw scalars of phi; bounds hold for every value of them.</param>
public sealed record DenseStage(double[] Weight, double[] Bias, int Outputs, int Inputs, Activation Function, double[] Scalars)
{
    /// <summary>Columns of a.</summary>
    public int SliceWidth => Function.OutputColumns(Outputs);
}

/// <summary>
/// A branch as the real function its effective weights define: raw slices v = [x; a_1; .. a_L], a_i = phi_i(W_i [x; .. a_(i-1)] + b_i), and
/// g(x) = W v + b. A <see cref="DenseNet"/> and a chain of linear layers and activations are both of this form.
/// </summary>
public sealed class BranchNetwork
{
    private BranchNetwork(int inputWidth, IReadOnlyList<DenseStage> stages, DenseStage last, double[]? scales) =>
        (InputWidth, Stages, Last, Scales) = (inputWidth, stages, last, scales);

    /// <summary>Columns of x.</summary>
    public int InputWidth { get; }

    /// <summary>The stages with a nonlinearity.</summary>
    public IReadOnlyList<DenseStage> Stages { get; }

    /// <summary>The linear stage at the end.</summary>
    public DenseStage Last { get; }

    /// <summary>
    /// Factors r_0 = 1, r_1, .. r_L of the slices, any positive single-precision numbers: <see cref="ProductBound"/> measures slice j in
    /// the norm |a_j|/r_j. Null for a chain, where every stage sees the slice before it only.
    /// </summary>
    public IReadOnlyList<double>? Scales { get; }

    /// <summary>The width of all raw slices.</summary>
    public int TotalWidth => Last.Inputs;

    /// <summary>Reads a layer's effective weights; null for a layer of another form.</summary>
    public static BranchNetwork? From(ILayer layer) => layer switch
    {
        DenseNet net => FromDenseNet(net),
        Sequential chain => FromChain(chain),
        Linear linear => new(linear.InputWidth, [], Stage(linear, linear.InputWidth, linear.InputWidth, 0, null), null),
        _ => null,
    };

    /// <summary>A branch from its stages.</summary>
    public static BranchNetwork Create(int inputWidth, IReadOnlyList<DenseStage> stages, DenseStage last, double[]? scales = null) =>
        new(inputWidth, stages, last, scales);

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

    private static BranchNetwork FromDenseNet(DenseNet net)
    {
        var stages = new List<DenseStage>();
        for (int i = 0; i <= net.Depth; i++)
        {
            Tensor weight = net.EffectiveWeight(i);
            stages.Add(new(
                Numbers(weight), Numbers(net.Bias(i)), weight.Rows, weight.Columns, i < net.Depth ? net.Activation : Activation.Identity,
                i < net.Depth ? Numbers(net.ActivationParameters(i)) : []));
        }

        // h_i carries slice j with the factor e2_j prod_{j<l<=i} e1_l; divided by prod_{l<=i} e1_l it no longer depends on i, and only
        // that matters for a bound: 1/r_j = e2_j / prod_{l<=j} e1_l. Single precision keeps W diag(r) exact in double.
        double product = 1;
        var scales = new double[net.Depth + 1];
        scales[0] = 1;
        (double E1, double E2)[] factors = net.Concatenation.Factors();
        for (int j = 1; j <= net.Depth; j++)
        {
            product *= factors[j - 1].E1;
            scales[j] = (float)Math.Clamp(product / factors[j - 1].E2, 1e-15, 1e15);
        }

        return new(net.InputWidth, stages[..^1], stages[^1], scales);
    }

    // Linear layers and activations in any order: the weight of a stage sees the slice before it and zeros elsewhere. An activation
    // without a linear layer before it has the identity as its weight, and so has the end of a chain that ends with an activation.
    private static BranchNetwork? FromChain(Sequential chain)
    {
        if (chain.Layers.Any(layer => layer is not (Linear or ActivationLayer)))
        {
            return null;
        }

        var stages = new List<DenseStage>();
        int total = chain.InputWidth, previous = chain.InputWidth;
        for (int i = 0; i < chain.Layers.Count; i++)
        {
            var linear = chain.Layers[i] as Linear;
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

        return new(chain.InputWidth, stages[..^1], stages[^1], null);
    }

    private static DenseStage Stage(Linear? linear, int width, int total, int start, ActivationLayer? activation)
    {
        int outputs = linear?.OutputWidth ?? width;
        double[] wide = new double[outputs * total];
        if (linear is null)
        {
            for (int i = 0; i < outputs; i++)
            {
                wide[(i * total) + start + i] = 1;
            }
        }
        else
        {
            double[] narrow = Numbers(linear.EffectiveWeight);
            for (int i = 0; i < outputs; i++)
            {
                narrow.AsSpan(i * width, width).CopyTo(wide.AsSpan((i * total) + start));
            }
        }

        return new(
            wide, linear is null ? new double[outputs] : Numbers(linear.Bias), outputs, total, activation?.Function ?? Activation.Identity,
            activation is null ? [] : Numbers(activation.ActivationParameters));
    }
}
