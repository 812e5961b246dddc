using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary><c>y = phi(x)</c> with the scalars of phi learned where it has any.</summary>
public sealed class ActivationLayer : ILayer
{
    private readonly IBackend _backend;
    private readonly ActivationScalars _scalars;

    /// <summary>Makes the layer.</summary>
    /// <exception cref="ShapeMismatchException">MaxMin with an odd width.</exception>
    public ActivationLayer(IBackend backend, string name, Activation function, int width)
    {
        ActivationScalars.ThrowUnlessFits(function, width);
        (_backend, Function, InputWidth) = (backend, function, width);
        _scalars = new ActivationScalars(backend, name, function);
        Parameters = _scalars.Parameters;
    }

    /// <summary>The nonlinearity.</summary>
    public Activation Function { get; }

    /// <inheritdoc/>
    public int InputWidth { get; }

    /// <inheritdoc/>
    public int OutputWidth => Function.OutputColumns(InputWidth);

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
        _backend.Activate(Function, _scalars.Value, x, x.Rows, y);

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

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
            _backend.Activate(layer.Function, layer._scalars.Value, input, valueRows, _output);
        }

        public override void PrepareProducts(Workspace workspace)
        {
            _slopes = workspace.Rent(ValueRows, layer.Function.SlopeColumns(layer.InputWidth));
            _backend.ActivationSlopes(layer.Function, layer._scalars.Value, _input.RowRange(0, ValueRows), _slopes);
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace) =>
            _backend.SlopeVjp(layer.Function, _slopes, w, result);

        public override void Jvp(Tensor t, Tensor result, Workspace workspace) =>
            _backend.SlopeJvp(layer.Function, _slopes, t, result);

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace) =>
            _backend.ActivationBackward(
                layer.Function, layer._scalars.Value, _input.RowRange(0, outputGradient.Rows), ValueRows, outputGradient, inputGradient,
                layer._scalars.GradientIn(gradient));
    }
}
