using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// Dense layers <c>h &lt;- [e1 h; e2 phi(N h + b)]</c> and a linear layer at the end: the g of an i-DenseNet block
/// (Perugachi-Diaz et al. 2020, section 3).
/// </summary>
/// <remarks>
/// Evaluated without concatenating or scaling anything: the raw slices x, phi_1, phi_2, .. lie side by side in one buffer, each layer
/// writes its own, and the factors e1, e2 are folded into the columns of the weights behind them once a step. The adjoint runs over a
/// second buffer [a_1 | .. | a_depth | output gradient] the same way: the gradient of slice j is one product of all columns behind
/// a_j with the stacked column blocks j of the weights behind it.
/// </remarks>
public sealed class DenseNet : ILayer
{
    private readonly IBackend _backend;
    private readonly int _growth;
    private readonly int _outputWidth;
    private readonly int[] _starts; // first column of each slice; the last entry is the total width
    private readonly NormalisedWeight[] _weights; // one a dense layer, then the final one
    private readonly Parameter[] _biases;
    private readonly ActivationScalars[] _scalars;
    private readonly Tensor[] _effective;
    private readonly PackedMatrix[] _forward;
    private readonly PackedMatrix[] _adjoint; // entry j: from the columns behind a_j to the gradient of slice j; 0 is the input

    /// <summary>Makes the network with weights and biases drawn uniformly from +-1/sqrt(inputs of each layer).</summary>
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
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegative(depth);
        ActivationScalars.ThrowUnlessFits(activation, growth);
        (_backend, InputWidth, _outputWidth, Depth, _growth, Activation) = (backend, width, width, depth, growth, activation);
        int slice = activation.OutputColumns(growth);
        int[] sliceWidths = [width, .. Enumerable.Repeat(slice, depth)];
        _starts = [0, .. Enumerable.Range(0, depth + 1).Select(j => width + (j * slice))];

        _weights = new NormalisedWeight[depth + 1];
        _biases = new Parameter[depth + 1];
        _effective = new Tensor[depth + 1];
        _forward = new PackedMatrix[depth + 1];
        _adjoint = new PackedMatrix[depth + 1];
        _scalars = new ActivationScalars[depth];
        for (int i = 0; i <= depth; i++)
        {
            int inputs = _starts[i + 1], outputs = i < depth ? growth : width;
            string layer = i < depth ? $"{name}.layers.{i}" : $"{name}.final";
            RandomKey layerKey = key with { Step = (uint)i };
            double[] bias = Initial.Uniform(outputs, 1 / Math.Sqrt(inputs), layerKey, Initial.BiasRow);
            _weights[i] = new NormalisedWeight(backend, layer, inputs, outputs, normalisation, layerKey);
            _biases[i] = new Parameter(backend, $"{layer}.bias", ParameterRole.Bias, 1, outputs, bias);
            _effective[i] = backend.Allocate(outputs, inputs);
            _forward[i] = backend.CreatePacked(inputs, outputs);
            _adjoint[i] = backend.CreatePacked(((depth - i) * growth) + width, sliceWidths[i]);
            if (i < depth)
            {
                _scalars[i] = new ActivationScalars(backend, layer, activation);
            }
        }

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
        EffectiveWeights =
        [
            .. Enumerable.Range(0, depth + 1).Select(
                i => new EffectiveWeight(i < depth ? $"{name}.layers.{i}.effective" : $"{name}.final.effective", _effective[i])),
        ];
        Prepare();
    }

    /// <inheritdoc/>
    public int InputWidth { get; }

    /// <inheritdoc/>
    public int OutputWidth => _outputWidth;

    /// <summary>The number of dense layers.</summary>
    public int Depth { get; }

    /// <summary>phi.</summary>
    public Activation Activation { get; }

    /// <summary>The factors e1 and e2.</summary>
    public Concatenation Concatenation { get; }

    /// <summary>
    /// The weight of layer i [out, in] as evaluations use it, since the last <see cref="Prepare"/>: on the raw slices x, a_1, .. a_i with
    /// the factors e1 and e2 folded in; i = <see cref="Depth"/> is the final layer.
    /// </summary>
    public Tensor EffectiveWeight(int i) => _effective[i];

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
    public double Bound(double p) => Product(p, i => InducedNorm.Bound(WithoutFactors(i), _effective[i].Rows, _effective[i].Columns, p));

    /// <inheritdoc/>
    public void Prepare()
    {
        Concatenation.Prepare();
        for (int i = 0; i <= Depth; i++)
        {
            _weights[i].Materialise(Concatenation.ScalesRow(i, _starts[i + 1]), _effective[i]);
        }

        Pack();
    }

    /// <inheritdoc/>
    public void Pack()
    {
        for (int i = 0; i <= Depth; i++)
        {
            _backend.Pack(_effective[i], transpose: true, _forward[i]);
            for (int j = 0; j <= i; j++)
            {
                Tensor block = _effective[i].ColumnRange(_starts[j], _starts[j + 1] - _starts[j]);
                _backend.Pack(block, transpose: false, _adjoint[j], (i - j) * _growth);
            }
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
        Tensor slices = workspace.Rent(x.Rows, _starts[^1]);
        Tensor pre = workspace.Rent(x.Rows, _growth);
        _backend.Copy(x, slices.ColumnRange(0, InputWidth));
        for (int i = 0; i < Depth; i++)
        {
            DenseStep(i, slices, x.Rows, pre);
        }

        FinalStep(slices, x.Rows, y);
        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private void DenseStep(int i, Tensor slices, int valueRows, Tensor pre) => _backend.MultiplyActivate(
        slices.ColumnRange(0, _starts[i + 1]), _forward[i], _biases[i].Value, Activation, _scalars[i].Value, valueRows, pre,
        slices.ColumnRange(_starts[i + 1], _starts[i + 2] - _starts[i + 1]));

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
        int columns = _effective[i].Columns;
        var weights = new double[_effective[i].Count];
        var scales = new double[columns];
        _backend.Download(_effective[i], weights);
        _backend.Download(Concatenation.ScalesRow(i, columns), scales);
        for (int k = 0; k < weights.Length; k++)
        {
            weights[k] /= scales[k % columns];
        }

        return weights;
    }

    private sealed class AtPoints(DenseNet net) : Linearization
    {
        private readonly IBackend _backend = net._backend;
        private readonly Tensor[] _pre = new Tensor[net.Depth];
        private readonly Tensor[] _slopes = new Tensor[net.Depth];
        private Tensor _slices;
        private Tensor _output;

        public override Tensor Output => _output;

        private int AdjointWidth => (net.Depth * net._growth) + net._outputWidth;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            ValueRows = valueRows;
            _slices = workspace.Rent(input.Rows, net._starts[^1]);
            _output = workspace.Rent(input.Rows, net._outputWidth);
            _backend.Copy(input, _slices.ColumnRange(0, net.InputWidth));
            for (int i = 0; i < net.Depth; i++)
            {
                _pre[i] = workspace.Rent(input.Rows, net._growth);
                net.DenseStep(i, _slices, valueRows, _pre[i]);
            }

            net.FinalStep(_slices, valueRows, _output);
        }

        public override void PrepareProducts(Workspace workspace)
        {
            for (int i = 0; i < net.Depth; i++)
            {
                _slopes[i] = workspace.Rent(ValueRows, net.Activation.SlopeColumns(net._growth));
                _backend.ActivationSlopes(net.Activation, net._scalars[i].Value, _pre[i].RowRange(0, ValueRows), _slopes[i]);
            }
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            Tensor adjoint = workspace.Rent(w.Rows, AdjointWidth);
            _backend.Copy(w, AdjointOutput(adjoint));
            for (int i = net.Depth - 1; i >= 0; i--)
            {
                if (net.Activation.IsElementwise() && w.Rows == ValueRows)
                {
                    _backend.MultiplySlopes(Behind(adjoint, i + 1), net._adjoint[i + 1], _slopes[i], AdjointSlice(adjoint, i));
                }
                else
                {
                    WorkspaceMark inner = workspace.Mark();
                    Tensor sliceGradient = workspace.Rent(w.Rows, net._adjoint[i + 1].Columns);
                    _backend.Multiply(Behind(adjoint, i + 1), net._adjoint[i + 1], 0, sliceGradient);
                    _backend.SlopeVjp(net.Activation, _slopes[i], sliceGradient, AdjointSlice(adjoint, i));
                    workspace.Release(inner);
                }
            }

            _backend.Multiply(adjoint, net._adjoint[0], 0, result);
            workspace.Release(mark);
        }

        public override void Jvp(Tensor t, Tensor result, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            Tensor slices = workspace.Rent(t.Rows, net._starts[^1]);
            Tensor pre = workspace.Rent(t.Rows, net._growth);
            _backend.Copy(t, slices.ColumnRange(0, net.InputWidth));
            for (int i = 0; i < net.Depth; i++)
            {
                int start = net._starts[i + 1];
                _backend.Multiply(slices.ColumnRange(0, start), net._forward[i], 0, pre);
                _backend.SlopeJvp(net.Activation, _slopes[i], pre, slices.ColumnRange(start, net._starts[i + 2] - start));
            }

            _backend.Multiply(slices, net._forward[net.Depth], 0, result);
            workspace.Release(mark);
        }

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            int rows = outputGradient.Rows;
            Tensor slices = _slices.RowRange(0, rows);
            Tensor adjoint = workspace.Rent(rows, AdjointWidth);
            _backend.Copy(outputGradient, AdjointOutput(adjoint));
            AccumulateWeights(net.Depth, AdjointOutput(adjoint), slices, gradient);
            for (int i = net.Depth - 1; i >= 0; i--)
            {
                WorkspaceMark inner = workspace.Mark();
                Tensor sliceGradient = workspace.Rent(rows, net._adjoint[i + 1].Columns);
                _backend.Multiply(Behind(adjoint, i + 1), net._adjoint[i + 1], 0, sliceGradient);
                _backend.ActivationBackward(
                    net.Activation, net._scalars[i].Value, _pre[i].RowRange(0, rows), ValueRows, sliceGradient, AdjointSlice(adjoint, i),
                    net._scalars[i].GradientIn(gradient));
                workspace.Release(inner);
                AccumulateWeights(i, AdjointSlice(adjoint, i), slices, gradient);
            }

            _backend.Multiply(adjoint, net._adjoint[0], 0, inputGradient);
            workspace.Release(mark);
        }

        private void AccumulateWeights(int i, Tensor preGradient, Tensor slices, Tensor gradient)
        {
            _backend.Multiply(
                preGradient, true, slices.ColumnRange(0, net._starts[i + 1]), false, 1, net._weights[i].Weight.In(gradient));
            _backend.ColumnSums(preGradient.RowRange(0, ValueRows), 1, net._biases[i].In(gradient));
        }

        private Tensor AdjointOutput(Tensor adjoint) => adjoint.ColumnRange(net.Depth * net._growth, net._outputWidth);

        private Tensor AdjointSlice(Tensor adjoint, int i) => adjoint.ColumnRange(i * net._growth, net._growth);

        // The columns behind slice j: a_j+1 .. a_depth and the output gradient (slice 0 is the input, so a_1 is at column 0).
        private Tensor Behind(Tensor adjoint, int j) =>
            adjoint.ColumnRange(j * net._growth, adjoint.Columns - (j * net._growth));
    }
}
