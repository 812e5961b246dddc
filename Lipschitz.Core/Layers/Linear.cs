using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary><c>y = N x + b</c> with a weight N whose norm is held below a target.</summary>
public sealed class Linear : ILayer
{
    private readonly IBackend _backend;
    private readonly NormalisedWeight _weight;
    private readonly Parameter _bias;
    private readonly EffectiveWeight _effective;
    private readonly PackedMatrix _forward;
    private readonly PackedMatrix _adjoint;

    /// <summary>Draws weight and bias uniformly from +-1/sqrt(inputs), the weight times <paramref name="scale"/>.</summary>
    /// <param name="backend">Where the layer lives.</param>
    /// <param name="name">The prefix of its parameters' names, distinct within a flow.</param>
    /// <param name="inputs">Columns of x.</param>
    /// <param name="outputs">Columns of y.</param>
    /// <param name="normalisation">How the norm of the weight is held.</param>
    /// <param name="key">The address of the initial numbers: layers of the same key draw the same ones.</param>
    /// <param name="scale">What the initial weight is multiplied by.</param>
    public Linear(
        IBackend backend, string name, int inputs, int outputs, Normalisation normalisation, RandomKey key, double scale = 1)
    {
        _backend = backend;
        _weight = new NormalisedWeight(backend, name, inputs, outputs, normalisation, key, scale);
        _bias = new Parameter(
            backend, $"{name}.bias", ParameterRole.Bias, 1, outputs,
            Initial.Uniform(outputs, 1 / Math.Sqrt(inputs), key, Initial.BiasRow));
        _effective = new EffectiveWeight(backend, $"{name}.effective", outputs, inputs, _weight.Materialise, Pack);
        _forward = backend.CreatePacked(inputs, outputs);
        _adjoint = backend.CreatePacked(outputs, inputs);
        Parameters = [.. _weight.Parameters, _bias];
        EffectiveWeights = [_effective];
        Prepare();
    }

    /// <inheritdoc/>
    public int InputWidth => _forward.Inner;

    /// <inheritdoc/>
    public int OutputWidth => _forward.Columns;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights { get; }

    /// <summary>N [out, in] as evaluations use it, since the last <see cref="Prepare"/>: what a certificate is about.</summary>
    public Tensor EffectiveWeight => _effective.Value;

    /// <summary>b [1, out].</summary>
    public Tensor Bias => _bias.Value;

    /// <inheritdoc/>
    public double LipschitzEstimate => _weight.NormEstimate;

    /// <inheritdoc/>
    public double Bound(double p)
    {
        var weights = new double[_effective.Value.Count];
        _backend.Download(_effective.Value, weights);
        return InducedNorm.Bound(weights, OutputWidth, InputWidth, p);
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
        _backend.Multiply(x, _forward, 0, y);
        _backend.AddRow(_bias.Value, y);
    }

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private void Pack(Tensor effective)
    {
        _backend.Pack(effective, transpose: true, _forward);
        _backend.Pack(effective, transpose: false, _adjoint);
    }

    private sealed class AtPoints(Linear layer) : Linearization
    {
        private readonly IBackend _backend = layer._backend;
        private Tensor _input;
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            (_input, ValueRows) = (input, valueRows);
            _output = workspace.Rent(input.Rows, layer.OutputWidth);
            _backend.Multiply(input, layer._forward, 0, _output);
            _backend.AddRow(layer._bias.Value, Value);
        }

        public override void PrepareProducts(Workspace workspace)
        {
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace) => _backend.Multiply(w, layer._adjoint, 0, result);

        public override void Jvp(Tensor t, Tensor result, Workspace workspace) => _backend.Multiply(t, layer._forward, 0, result);

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace)
        {
            _backend.Multiply(
                outputGradient, true, _input.RowRange(0, outputGradient.Rows), false, 1, layer._weight.Weight.In(gradient));
            _backend.ColumnSums(outputGradient.RowRange(0, ValueRows), 1, layer._bias.In(gradient));
            _backend.Multiply(outputGradient, layer._adjoint, 0, inputGradient);
        }
    }
}
