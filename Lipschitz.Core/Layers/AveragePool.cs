using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>The mean over the pixels of a picture of each channel; no parameters.</summary>
public sealed class AveragePool : ILayer
{
    private readonly IBackend _backend;
    private readonly int _pixels;

    /// <summary>Makes the layer.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="pixels">Pixels of a sample.</param>
    /// <param name="channels">Numbers of a pixel, and so columns of the output.</param>
    public AveragePool(IBackend backend, int pixels, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pixels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        (_backend, _pixels, OutputWidth) = (backend, pixels, channels);
    }

    /// <inheritdoc/>
    public int InputWidth => _pixels * OutputWidth;

    /// <inheritdoc/>
    public int OutputWidth { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => [];

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights => [];

    /// <inheritdoc/>
    public double LipschitzEstimate => Bound(2);

    /// <inheritdoc/>
    public double Bound(double p) => Math.Pow(_pixels, -1 / p); // attained where all pixels are equal

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
    public void Forward(Tensor x, Tensor y, Workspace workspace)
    {
        for (int i = 0; i < x.Rows; i++)
        {
            _backend.ColumnSums(Picture(x, i), 0, y.RowRange(i, 1));
        }

        _backend.Axpby(0, y, 1.0 / _pixels, y);
    }

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private Tensor Picture(Tensor x, int i) => x.RowRange(i, 1).Reshape(_pixels, OutputWidth);

    private void Spread(Tensor w, Tensor result)
    {
        for (int i = 0; i < w.Rows; i++)
        {
            Tensor picture = Picture(result, i);
            _backend.Fill(picture, 0);
            _backend.AddRow(w.RowRange(i, 1), picture);
        }

        _backend.Axpby(0, result, 1.0 / _pixels, result);
    }

    private sealed class AtPoints(AveragePool layer) : Linearization
    {
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            ValueRows = valueRows;
            _output = workspace.Rent(input.Rows, layer.OutputWidth);
            layer.Forward(input, _output, workspace);
        }

        public override void PrepareProducts(Workspace workspace)
        {
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace) => layer.Spread(w, result);

        public override void Jvp(Tensor t, Tensor result, Workspace workspace) => layer.Forward(t, result, workspace);

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace) =>
            layer.Spread(outputGradient, inputGradient);
    }
}
