using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// <c>y = N * x + b</c>: a convolution with stride 1 and zero padding that keeps height and width, whose norm as an operator on pictures of its
/// size is held below a target. Kernels of 1 x 1 are products.
/// </summary>
/// <remarks>A picture is a row of pixels times channels numbers, channels last; see <see cref="ImageShape"/>.</remarks>
public sealed class Convolution : ILayer
{
    private readonly IBackend _backend;
    private readonly NormalisedWeight _weight;
    private readonly Parameter _bias;
    private readonly EffectiveWeight _effective;
    private readonly PackedConvolution _forward;
    private readonly PackedConvolution _adjoint;

    /// <summary>Draws weight and bias uniformly from +-1/sqrt(inputs kernel^2).</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="input">The shape of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="kernel">Height and width of the kernel; odd.</param>
    /// <param name="normalisation">The norm of the operator; spectral or none.</param>
    /// <param name="key">The address of the initial numbers.</param>
    public Convolution(
        IBackend backend, string name, ImageShape input, int outputs, int kernel, Normalisation normalisation, RandomKey key)
    {
        if (kernel % 2 == 0)
        {
            throw new ShapeMismatchException($"{name}: a kernel of {kernel} x {kernel} has no centre; choose an odd size.");
        }

        (_backend, Shape, Inputs, Outputs) = (backend, new ConvolutionShape(input.Height, input.Width, kernel), input.Channels, outputs);
        _weight = new NormalisedWeight(backend, name, Inputs, outputs, normalisation, key, 1, Shape);
        _bias = new Parameter(
            backend, $"{name}.bias", ParameterRole.Bias, 1, outputs,
            Initial.Uniform(outputs, 1 / Math.Sqrt(Inputs * Shape.Taps), key, Initial.BiasRow));
        _effective = new EffectiveWeight(backend, $"{name}.effective", outputs * Shape.Taps, Inputs, _weight.Materialise, Pack);
        _forward = backend.CreatePackedConvolution(Shape, Inputs, outputs);
        _adjoint = backend.CreatePackedConvolution(Shape, outputs, Inputs);
        Parameters = [.. _weight.Parameters, _bias];
        EffectiveWeights = [_effective];
        Prepare();
    }

    /// <summary>Pixels and kernel.</summary>
    public ConvolutionShape Shape { get; }

    /// <summary>Channels of the input.</summary>
    public int Inputs { get; }

    /// <summary>Channels of the output.</summary>
    public int Outputs { get; }

    /// <inheritdoc/>
    public int InputWidth => Shape.Pixels * Inputs;

    /// <inheritdoc/>
    public int OutputWidth => Shape.Pixels * Outputs;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights { get; }

    /// <summary>N [outputs taps, inputs] as evaluations use it, since the last <see cref="Prepare"/>.</summary>
    public Tensor EffectiveWeight => _effective.Value;

    /// <summary>b [1, outputs].</summary>
    public Tensor Bias => _bias.Value;

    /// <inheritdoc/>
    public double LipschitzEstimate => _weight.NormEstimate;

    /// <inheritdoc/>
    public double Bound(double p)
    {
        var weights = new double[_effective.Value.Count];
        _backend.Download(_effective.Value, weights);
        return ConvolutionNorm.Bound(weights, Shape, Outputs, Inputs, p);
    }

    /// <inheritdoc/>
    public void Prepare() => _effective.Prepare();

    /// <inheritdoc/>
    public void Pack() => _effective.Pack();

    /// <inheritdoc/>
    public void PullBack(Tensor gradient) => _weight.PullBack(gradient);

    /// <inheritdoc/>
    public void UpdateNorms(int iterations, double tolerance) => _weight.UpdateNorm(iterations, tolerance);

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace)
    {
        _backend.Convolve(ByPixel(x), _forward, 0, ByPixel(y));
        _backend.AddRow(_bias.Value, ByPixel(y));
    }

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private void Pack(Tensor effective)
    {
        _backend.PackConvolution(effective, false, _forward);
        _backend.PackConvolution(effective, true, _adjoint);
    }

    private Tensor ByPixel(Tensor x) => x.Reshape(x.Rows * Shape.Pixels, x.Columns / Shape.Pixels);

    private sealed class AtPoints(Convolution layer) : Linearization
    {
        private readonly IBackend _backend = layer._backend;
        private Tensor _input;
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            (_input, ValueRows) = (input, valueRows);
            _output = workspace.Rent(input.Rows, layer.OutputWidth);
            Jvp(input, _output, workspace);
            _backend.AddRow(layer._bias.Value, layer.ByPixel(Value));
        }

        public override void PrepareProducts(Workspace workspace)
        {
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace) =>
            _backend.Convolve(layer.ByPixel(w), layer._adjoint, 0, layer.ByPixel(result));

        public override void Jvp(Tensor t, Tensor result, Workspace workspace) =>
            _backend.Convolve(layer.ByPixel(t), layer._forward, 0, layer.ByPixel(result));

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace)
        {
            Tensor yGradient = layer.ByPixel(outputGradient);
            _backend.ConvolutionWeightGradient(
                layer.Shape, layer.ByPixel(_input.RowRange(0, outputGradient.Rows)), yGradient, layer._weight.Weight.In(gradient));
            _backend.ColumnSums(yGradient.RowRange(0, ValueRows * layer.Shape.Pixels), 1, layer._bias.In(gradient));
            Vjp(outputGradient, inputGradient, workspace);
        }
    }
}
