using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary><c>y = phi(x)</c> with the scalars of phi learned where it has any.</summary>
public sealed class ActivationLayer : ILayer
{
    private readonly IBackend _backend;
    private readonly ActivationScalars _scalars;

    /// <summary>Makes the layer.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="function">phi.</param>
    /// <param name="channels">Columns of the input; of a pixel where it is a picture.</param>
    /// <param name="pixels">Pixels of a picture, 1 for anything else: functions that mix or add columns do so within a pixel.</param>
    /// <exception cref="ShapeMismatchException">MaxMin with an odd number of channels.</exception>
    public ActivationLayer(IBackend backend, string name, Activation function, int channels, int pixels = 1)
    {
        ActivationScalars.ThrowUnlessFits(function, channels);
        (_backend, Function, Channels, Pixels) = (backend, function, channels, pixels);
        _scalars = new ActivationScalars(backend, name, function);
        Parameters = _scalars.Parameters;
    }

    /// <summary>The nonlinearity.</summary>
    public Activation Function { get; }

    /// <summary>Columns of the input; of a pixel where it is a picture.</summary>
    public int Channels { get; }

    /// <summary>Pixels of a picture, 1 for anything else.</summary>
    public int Pixels { get; }

    /// <summary>The raw scalars of the nonlinearity [1, count], count possibly 0.</summary>
    public Tensor ActivationParameters => _scalars.Value;

    /// <inheritdoc/>
    public int InputWidth => Channels * Pixels;

    /// <inheritdoc/>
    public int OutputWidth => Function.OutputColumns(Channels) * Pixels;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights => [];

    /// <inheritdoc/>
    public double LipschitzEstimate => Function.LipschitzConstant(2);

    /// <inheritdoc/>
    public double Bound(double p) => Function.LipschitzConstant(p);

    /// <inheritdoc/>
    public void Prepare()
    {
    }

    /// <inheritdoc/>
    public void Pack()
    {
    }

    /// <inheritdoc/>
    public void PullBack(Tensor gradient)
    {
    }

    /// <inheritdoc/>
    public void UpdateNorms(int iterations, double tolerance)
    {
    }

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace) =>
        _backend.Activate(Function, _scalars.Value, ByPixel(x), x.Rows * Pixels, ByPixel(y));

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    // Points may be views with gaps; pictures are read pixel by pixel.
    private Tensor ByPixel(Tensor x) => Pixels == 1 ? x : x.Reshape(x.Rows * Pixels, x.Columns / Pixels);

    private sealed class AtPoints(ActivationLayer layer) : Linearization
    {
        private readonly IBackend _backend = layer._backend;
        private Tensor _input;
        private Tensor _output;
        private Tensor _slopes;

        public override Tensor Output => _output;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            (_input, ValueRows) = (input, valueRows);
            _output = workspace.Rent(input.Rows, layer.OutputWidth);
            _backend.Activate(
                layer.Function, layer._scalars.Value, layer.ByPixel(input), valueRows * layer.Pixels, layer.ByPixel(_output));
        }

        public override void PrepareProducts(Workspace workspace)
        {
            _slopes = workspace.Rent(ValueRows * layer.Pixels, layer.Function.SlopeColumns(layer.Channels));
            _backend.ActivationSlopes(layer.Function, layer._scalars.Value, layer.ByPixel(_input.RowRange(0, ValueRows)), _slopes);
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace) =>
            _backend.SlopeVjp(layer.Function, _slopes, layer.ByPixel(w), layer.ByPixel(result));

        public override void Jvp(Tensor t, Tensor result, Workspace workspace) =>
            _backend.SlopeJvp(layer.Function, _slopes, layer.ByPixel(t), layer.ByPixel(result));

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace) =>
            _backend.ActivationBackward(
                layer.Function, layer._scalars.Value, layer.ByPixel(_input.RowRange(0, outputGradient.Rows)), ValueRows * layer.Pixels,
                layer.ByPixel(outputGradient), layer.ByPixel(inputGradient), layer._scalars.GradientIn(gradient));
    }
}
