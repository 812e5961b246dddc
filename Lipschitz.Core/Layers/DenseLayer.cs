using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// One dense layer <c>y = [e1 x; e2 phi(N x + b)]</c>, with (e1, e2) on a circle of radius c, fixed or learned: at most c-Lipschitz when
/// phi and N are 1-Lipschitz (Perugachi-Diaz et al. 2020, eq. 4). For chains of them <see cref="DenseNet"/> computes the same faster.
/// </summary>
public sealed class DenseLayer : ILayer
{
    private readonly IBackend _backend;
    private readonly Sequential _inner;
    private readonly Parameter[] _raw;
    private (double E1, double E2) _factors;

    /// <summary>Makes the layer.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="width">Columns of the input.</param>
    /// <param name="growth">Columns of N x + b.</param>
    /// <param name="activation">phi.</param>
    /// <param name="learnableConcatenation">Whether e1 and e2 are trained.</param>
    /// <param name="radius">c.</param>
    /// <param name="normalisation">The norm of N.</param>
    /// <param name="key">The address of the initial numbers.</param>
    public DenseLayer(
        IBackend backend, string name, int width, int growth, Activation activation, bool learnableConcatenation, double radius,
        Normalisation normalisation, RandomKey key)
    {
        _backend = backend;
        _inner = new Sequential(
            new Linear(backend, name, width, growth, normalisation, key), new ActivationLayer(backend, name, activation, growth));
        Concatenation = new Concatenation(backend, name, learnableConcatenation, radius, [width, _inner.OutputWidth]);
        _raw = Concatenation.Parameters;
        Parameters = [.. _inner.Parameters, .. _raw];
        Prepare();
    }

    /// <summary>The factors e1 and e2.</summary>
    public Concatenation Concatenation { get; }

    /// <inheritdoc/>
    public int InputWidth => _inner.InputWidth;

    /// <inheritdoc/>
    public int OutputWidth => InputWidth + _inner.OutputWidth;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights => _inner.EffectiveWeights;

    /// <inheritdoc/>
    public double LipschitzEstimate => Concatenation.Bound(_factors.E1, _factors.E2, _inner.LipschitzEstimate, 2);

    /// <inheritdoc/>
    public double Bound(double p) => Concatenation.Bound(_factors.E1, _factors.E2, _inner.Bound(p), p);

    /// <inheritdoc/>
    public void Prepare()
    {
        _inner.Prepare();
        Concatenation.Prepare();
        _factors = Concatenation.Factors()[0];
    }

    /// <inheritdoc/>
    public void Pack() => _inner.Pack();

    /// <inheritdoc/>
    public void PullBack(Tensor gradient)
    {
        _inner.PullBack(gradient);
        if (_raw.Length > 0)
        {
            // The backward passes left the derivatives with respect to (e1, e2) in the place of K.
            Span<double> factorGradient = stackalloc double[2];
            _backend.Download(_raw[0].In(gradient), factorGradient);
            Tensor row = Concatenation.ScalesGradientRow(1, OutputWidth);
            _backend.Fill(Concatenation.ScalesGradientRow(0, OutputWidth), 0);
            _backend.Fill(row, 0);
            _backend.Fill(row.ColumnRange(0, 1), factorGradient[0]);
            _backend.Fill(row.ColumnRange(InputWidth, 1), factorGradient[1]);
            _backend.Fill(_raw[0].In(gradient), 0);
            Concatenation.PullBack(gradient);
        }
    }

    /// <inheritdoc/>
    public void UpdateNorms(int iterations, double tolerance) => _inner.UpdateNorms(iterations, tolerance);

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace)
    {
        _inner.Forward(x, Right(y), workspace);
        Concatenate(x, y);
    }

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private Tensor Left(Tensor y) => y.ColumnRange(0, InputWidth);

    private Tensor Right(Tensor y) => y.ColumnRange(InputWidth, y.Columns - InputWidth);

    private void Concatenate(Tensor x, Tensor y)
    {
        _backend.Axpby(_factors.E1, x, 0, Left(y));
        _backend.Axpby(_factors.E2, Right(y), 0, Right(y));
    }

    private sealed class AtPoints(DenseLayer layer) : Linearization
    {
        private readonly IBackend _backend = layer._backend;
        private readonly Linearization _inner = layer._inner.CreateLinearization();
        private Tensor _input;
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            (_input, ValueRows) = (input, valueRows);
            _inner.Evaluate(input, valueRows, workspace);
            _output = workspace.Rent(input.Rows, layer.OutputWidth);
            _backend.Copy(_inner.Output, layer.Right(_output));
            layer.Concatenate(input, _output);
        }

        public override void PrepareProducts(Workspace workspace) => _inner.PrepareProducts(workspace);

        public override void Vjp(Tensor w, Tensor result, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            Tensor right = workspace.Rent(w.Rows, layer._inner.OutputWidth);
            _backend.Axpby(layer._factors.E2, layer.Right(w), 0, right);
            _inner.Vjp(right, result, workspace);
            _backend.Axpby(layer._factors.E1, layer.Left(w), 1, result);
            workspace.Release(mark);
        }

        public override void Jvp(Tensor t, Tensor result, Workspace workspace)
        {
            _inner.Jvp(t, layer.Right(result), workspace);
            layer.Concatenate(t, result);
        }

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            int rows = outputGradient.Rows;
            Tensor right = workspace.Rent(rows, layer._inner.OutputWidth);
            if (layer._raw.Length > 0)
            {
                Tensor factorGradient = layer._raw[0].In(gradient), dots = workspace.Rent(rows, 1);
                _backend.RowDots(1, layer.Left(outputGradient), _input.RowRange(0, rows), 0, dots);
                _backend.ColumnSums(dots, 1, factorGradient.ColumnRange(0, 1));
                _backend.RowDots(1, layer.Right(outputGradient), _inner.Output.RowRange(0, rows), 0, dots);
                _backend.ColumnSums(dots, 1, factorGradient.ColumnRange(1, 1));
            }

            _backend.Axpby(layer._factors.E2, layer.Right(outputGradient), 0, right);
            _inner.Backward(right, inputGradient, gradient, workspace);
            _backend.Axpby(layer._factors.E1, layer.Left(outputGradient), 1, inputGradient);
            workspace.Release(mark);
        }
    }
}
