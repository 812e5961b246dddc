using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// Dense layers <c>h &lt;- [e1 h; e2 phi(N h + b)]</c> and a linear layer at the end: the g of an i-DenseNet block
/// (Perugachi-Diaz et al. 2020, section 3). On points N is a matrix; on pictures a convolution, and the last layer a 1 x 1 convolution.
/// </summary>
/// <remarks>
/// <para>
/// Evaluated without concatenating or scaling anything: the raw slices x, phi_1, phi_2, .. lie side by side in one buffer, each layer
/// writes its own, and the factors e1, e2 are folded into the columns of the weights behind them once a step. The adjoint runs over a
/// second buffer [a_1 | .. | a_depth | output gradient] the same way: the gradient of slice j is one product of all columns behind
/// a_j with the stacked column blocks j of the weights behind it.
/// </para>
/// <para>On pictures the slices are read pixel by pixel, and the output gradient goes through its 1 x 1 convolution apart.</para>
/// </remarks>
public sealed partial class DenseNet : ILayer
{
    private readonly IBackend _backend;
    private readonly int _growth;
    private readonly int _channels; // of the input
    private readonly int _outputs; // channels of the output
    private readonly int _pixels; // 1 for points
    private readonly int[] _starts; // first column of each slice; the last entry is the total width
    private readonly NormalisedWeight[] _weights; // one a dense layer, then the final one
    private readonly Parameter[] _biases;
    private readonly ActivationScalars[] _scalars;
    private readonly EffectiveWeight[] _effective;
    private readonly PackedMatrix[] _forward; // of the dense layers of points, then the final one
    private readonly PackedMatrix[] _adjoint; // entry j: from the columns behind a_j, or the output alone, to the gradient of slice j; 0 is the input
    private readonly DenseConvolutions? _convolutions; // of the dense layers of pictures

    /// <summary>The network on points, with weights and biases drawn uniformly from +-1/sqrt(inputs of each layer).</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="width">Columns of the input and the output.</param>
    /// <param name="depth">Dense layers.</param>
    /// <param name="growth">Columns of each dense layer before its activation.</param>
    /// <param name="activation">phi.</param>
    /// <param name="learnableConcatenation">Whether e1 and e2 are trained.</param>
    /// <param name="radius">c, the radius of the circle of (e1, e2).</param>
    /// <param name="normalisation">The norm of each weight.</param>
    /// <param name="key">The address of the initial numbers; layer i takes Step i of it.</param>
    public DenseNet(
        IBackend backend, string name, int width, int depth, int growth, Activation activation, bool learnableConcatenation,
        double radius, Normalisation normalisation, RandomKey key)
        : this(
            backend, name, new ImageShape(1, 1, width), width, 1, depth, growth, activation, learnableConcatenation, radius, normalisation, key)
    {
    }

    /// <summary>The network on pictures: dense layers are kernel x kernel convolutions. A picture of one pixel and kernel 1 is a point.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="input">The shape of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="kernel">Height and width of the kernels of dense layers; odd.</param>
    /// <param name="depth">Dense layers.</param>
    /// <param name="growth">Channels of each dense layer before its activation.</param>
    /// <param name="activation">phi.</param>
    /// <param name="learnableConcatenation">Whether e1 and e2 are trained.</param>
    /// <param name="radius">c, the radius of the circle of (e1, e2).</param>
    /// <param name="normalisation">The norm of each weight.</param>
    /// <param name="key">The address of the initial numbers; layer i takes Step i of it.</param>
    public DenseNet(
        IBackend backend, string name, ImageShape input, int outputs, int kernel, int depth, int growth, Activation activation,
        bool learnableConcatenation, double radius, Normalisation normalisation, RandomKey key)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(input.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(depth);
        ActivationScalars.ThrowUnlessFits(activation, growth);
        (_backend, _channels, _outputs, _pixels, Depth, _growth, Activation) =
            (backend, input.Channels, outputs, input.Pixels, depth, growth, activation);
        int slice = activation.OutputColumns(growth);
        int[] sliceWidths = [_channels, .. Enumerable.Repeat(slice, depth)];
        _starts = [0, .. Enumerable.Range(0, depth + 1).Select(j => _channels + (j * slice))];
        var shape = new ConvolutionShape(input.Height, input.Width, kernel);
        bool isConvolution = _pixels > 1 || kernel > 1;
        Convolution = isConvolution ? shape : null;

        _weights = new NormalisedWeight[depth + 1];
        _biases = new Parameter[depth + 1];
        _effective = new EffectiveWeight[depth + 1];
        _forward = new PackedMatrix[depth + 1];
        _adjoint = new PackedMatrix[depth + 1];
        _scalars = new ActivationScalars[depth];
        for (int i = 0; i <= depth; i++)
        {
            int columns = _starts[i + 1], rows = i < depth ? growth : outputs, taps = i < depth && isConvolution ? shape.Taps : 1;
            string layer = i < depth ? $"{name}.layers.{i}" : $"{name}.final";
            RandomKey layerKey = key with { Step = (uint)i };
            double[] bias = Initial.Uniform(rows, 1 / Math.Sqrt(columns * taps), layerKey, Initial.BiasRow);
            ConvolutionShape? convolution = isConvolution ? shape with { Kernel = i < depth ? kernel : 1 } : null;
            _weights[i] = new NormalisedWeight(backend, layer, columns, rows, normalisation, layerKey, 1, convolution);
            _biases[i] = new Parameter(backend, $"{layer}.bias", ParameterRole.Bias, 1, rows, bias);
            int number = i;
            _effective[i] = new EffectiveWeight(
                backend, $"{layer}.effective", rows * taps, columns, made => Materialise(number, made), made => Pack(number, made));
            _forward[i] = backend.CreatePacked(isConvolution && i < depth ? 0 : columns, rows);
            _adjoint[i] = backend.CreatePacked((isConvolution ? 0 : (depth - i) * growth) + outputs, sliceWidths[i]);
            if (i < depth)
            {
                _scalars[i] = new ActivationScalars(backend, layer, activation);
            }
        }

        _convolutions = isConvolution ? new DenseConvolutions(backend, shape, _starts, growth) : null;

        Concatenation = new Concatenation(backend, name, learnableConcatenation, radius, sliceWidths);
        var parameters = new List<Parameter>();
        for (int i = 0; i <= depth; i++)
        {
            parameters.AddRange(_weights[i].Parameters);
            parameters.Add(_biases[i]);
            if (i < depth)
            {
                parameters.AddRange(_scalars[i].Parameters);
            }
        }

        parameters.AddRange(Concatenation.Parameters);
        Parameters = parameters;
        EffectiveWeights = _effective;
        Prepare();
    }

    /// <inheritdoc/>
    public int InputWidth => _pixels * _channels;

    /// <inheritdoc/>
    public int OutputWidth => _pixels * _outputs;

    /// <summary>Pixels and kernel of the dense layers; null on points.</summary>
    public ConvolutionShape? Convolution { get; }

    /// <summary>The number of dense layers.</summary>
    public int Depth { get; }

    /// <summary>phi.</summary>
    public Activation Activation { get; }

    /// <summary>The factors e1 and e2.</summary>
    public Concatenation Concatenation { get; }

    /// <summary>
    /// The weight of layer i [out, in], of a convolution [out taps, in], as evaluations use it, since the last <see cref="Prepare"/>: on the raw slices x, a_1, .. a_i with
    /// the factors e1 and e2 folded in; i = <see cref="Depth"/> is the final layer.
    /// </summary>
    public Tensor EffectiveWeight(int i) => _effective[i].Value;

    /// <summary>The bias of layer i [1, out].</summary>
    public Tensor Bias(int i) => _biases[i].Value;

    /// <summary>The raw scalars of dense layer i's activation [1, count], count possibly 0.</summary>
    public Tensor ActivationParameters(int i) => _scalars[i].Value;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights { get; }

    /// <inheritdoc/>
    public double LipschitzEstimate => Product(2, i => _weights[i].NormEstimate);

    /// <inheritdoc/>
    public double Bound(double p) => Product(p, i => i < Depth && Convolution is { } shape
        ? ConvolutionNorm.Bound(WithoutFactors(i), shape, _growth, _starts[i + 1], p)
        : InducedNorm.Bound(WithoutFactors(i), i < Depth ? _growth : _outputs, _starts[i + 1], p));

    /// <inheritdoc/>
    public void Prepare()
    {
        Concatenation.Prepare();
        foreach (EffectiveWeight weight in _effective)
        {
            weight.Prepare();
        }
    }

    /// <inheritdoc/>
    public void Pack()
    {
        foreach (EffectiveWeight weight in _effective)
        {
            weight.Pack();
        }
    }

    /// <inheritdoc/>
    public void PullBack(Tensor gradient)
    {
        for (int i = 0; i <= Depth; i++)
        {
            int inputs = _starts[i + 1];
            _weights[i].PullBack(gradient, Concatenation.ScalesRow(i, inputs), Concatenation.ScalesGradientRow(i, inputs));
        }

        Concatenation.PullBack(gradient);
    }

    /// <inheritdoc/>
    public void UpdateNorms(int iterations, double tolerance)
    {
        foreach (NormalisedWeight weight in _weights)
        {
            weight.UpdateNorm(iterations, tolerance);
        }
    }

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace)
    {
        WorkspaceMark mark = workspace.Mark();
        int rows = x.Rows * _pixels;
        Tensor slices = workspace.Rent(rows, _starts[^1]);
        Tensor pre = workspace.Rent(rows, _growth);
        _backend.Copy(ByPixel(x), slices.ColumnRange(0, _channels));
        for (int i = 0; i < Depth; i++)
        {
            DenseStep(i, slices, rows, pre);
        }

        FinalStep(slices, rows, ByPixel(y));
        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private void Materialise(int i, Tensor effective) => _weights[i].Materialise(Concatenation.ScalesRow(i, _starts[i + 1]), effective);

    private void Pack(int i, Tensor effective)
    {
        if (_convolutions is not null && i < Depth)
        {
            _convolutions.Pack(i, effective);
            return;
        }

        _backend.Pack(effective, transpose: true, _forward[i]);
        for (int j = 0; j <= i; j++)
        {
            Tensor block = effective.ColumnRange(_starts[j], _starts[j + 1] - _starts[j]);
            _backend.Pack(block, transpose: false, _adjoint[j], _convolutions is null ? (i - j) * _growth : 0);
        }
    }

    // Points may be views with gaps; pictures are read pixel by pixel.
    private Tensor ByPixel(Tensor x) => _pixels == 1 ? x : x.Reshape(x.Rows * _pixels, x.Columns / _pixels);

    // Here and below rows are pixels.
    private void DenseStep(int i, Tensor slices, int valueRows, Tensor pre)
    {
        Tensor inputs = slices.ColumnRange(0, _starts[i + 1]), outputs = slices.ColumnRange(_starts[i + 1], _starts[i + 2] - _starts[i + 1]);
        if (_convolutions is null)
        {
            _backend.MultiplyActivate(inputs, _forward[i], _biases[i].Value, Activation, _scalars[i].Value, valueRows, pre, outputs);
        }
        else
        {
            _backend.ConvolveActivate(
                inputs, _convolutions.Forward(i), _biases[i].Value, Activation, _scalars[i].Value, valueRows, pre, outputs);
        }
    }

    // result <- the gradient of raw slice j, from the columns [a_1 | .. | a_depth | output gradient].
    private void SliceGradient(int j, Tensor adjoint, Tensor result)
    {
        int start = j * _growth; // slice 0 is the input, so what is behind slice j begins at a_j+1
        if (_convolutions is null)
        {
            _backend.Multiply(adjoint.ColumnRange(start, adjoint.Columns - start), _adjoint[j], 0, result);
            return;
        }

        _backend.Multiply(AdjointOutput(adjoint), _adjoint[j], 0, result);
        if (j < Depth)
        {
            _backend.Convolve(adjoint.ColumnRange(start, (Depth - j) * _growth), _convolutions.Adjoint(j), 1, result);
        }
    }

    private Tensor AdjointOutput(Tensor adjoint) => adjoint.ColumnRange(Depth * _growth, _outputs);

    private Tensor AdjointSlice(Tensor adjoint, int i) => adjoint.ColumnRange(i * _growth, _growth);

    private void FinalStep(Tensor slices, int valueRows, Tensor y)
    {
        _backend.Multiply(slices, _forward[Depth], 0, y);
        _backend.AddRow(_biases[Depth].Value, y.RowRange(0, valueRows));
    }

    // Lip(g) <= |N_final| prod_i (e1_i^p + (e2_i Lip(phi) |N_i|)^p)^(1/p).
    private double Product(double p, Func<int, double> norm)
    {
        double product = norm(Depth);
        (double E1, double E2)[] factors = Concatenation.Factors();
        for (int i = 0; i < Depth; i++)
        {
            product *= Concatenation.Bound(factors[i].E1, factors[i].E2, Activation.LipschitzConstant(p) * norm(i), p);
        }

        return product;
    }

    // The effective weight of layer i with the factors e1, e2 taken out of its columns again: N_i as evaluations use it.
    private double[] WithoutFactors(int i)
    {
        Tensor effective = _effective[i].Value;
        int columns = effective.Columns;
        var weights = new double[effective.Count];
        var scales = new double[columns];
        _backend.Download(effective, weights);
        _backend.Download(Concatenation.ScalesRow(i, columns), scales);
        for (int k = 0; k < weights.Length; k++)
        {
            weights[k] /= scales[k % columns];
        }

        return weights;
    }
}
