using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// <c>y = (x + b) exp(w)</c> for each channel of a picture, where no log-determinant is asked for; a flow's own is a bijection. Set so
/// that its first batch comes out with mean 0 and variance 1.
/// </summary>
public sealed class ActNormLayer : ILayer
{
    private const double SmallestVariance = 0.2; // as the flow's own
    private readonly IBackend _backend;
    private readonly Parameter _shift;
    private readonly Parameter _logScale;
    private readonly Tensor _zero;
    private readonly int _pixels;
    private readonly int _channels;

    /// <summary>Makes the identity.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="pixels">Pixels of a sample; 1 for a factor of its own for each column.</param>
    /// <param name="channels">Numbers of a pixel.</param>
    public ActNormLayer(IBackend backend, string name, int pixels, int channels)
    {
        (_backend, _pixels, _channels) = (backend, pixels, channels);
        _shift = new Parameter(backend, $"{name}.shift", ParameterRole.ActNorm, 1, channels, new double[channels]);
        _logScale = new Parameter(backend, $"{name}.logScale", ParameterRole.ActNorm, 1, channels, new double[channels]);
        _zero = backend.Allocate(1, channels);
        Parameters = [_shift, _logScale];
    }

    /// <inheritdoc/>
    public int InputWidth => _pixels * _channels;

    /// <inheritdoc/>
    public int OutputWidth => InputWidth;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights => [];

    /// <inheritdoc/>
    public double LipschitzEstimate => Bound(2);

    /// <inheritdoc/>
    public double Bound(double p)
    {
        var logScale = new double[_channels];
        _backend.Download(_logScale.Value, logScale);
        return Math.Exp(logScale.Max());
    }

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

    /// <summary>Sets shift and scale from the first batch, the layer's input [B, InputWidth].</summary>
    public void Initialise(Tensor x)
    {
        Tensor mean = _backend.Allocate(1, _channels), variance = _backend.Allocate(1, _channels);
        _backend.ColumnMoments(ByPixel(x), mean, variance);
        var shift = new double[_channels];
        var logScale = new double[_channels];
        _backend.Download(mean, shift);
        _backend.Download(variance, logScale);
        for (int j = 0; j < _channels; j++)
        {
            shift[j] = -shift[j];
            logScale[j] = -0.5 * Math.Log(Math.Max(logScale[j], SmallestVariance));
        }

        _backend.Upload(shift, _shift.Value);
        _backend.Upload(logScale, _logScale.Value);
    }

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace) => Scale(x, _shift.Value, y, workspace);

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private Tensor ByPixel(Tensor x) => x.Reshape(x.Rows * _pixels, _channels);

    // The kernel also adds up log-determinants, which nobody reads here.
    private void Scale(Tensor x, Tensor shift, Tensor y, Workspace workspace)
    {
        WorkspaceMark mark = workspace.Mark();
        Tensor unused = workspace.Rent(x.Rows, 1);
        _backend.Fill(unused, 0);
        _backend.ActNormForward(ByPixel(x), shift, _logScale.Value, _pixels, ByPixel(y), unused);
        workspace.Release(mark);
    }

    private sealed class AtPoints(ActNormLayer layer) : Linearization
    {
        private readonly IBackend _backend = layer._backend;
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            ValueRows = valueRows;
            _output = workspace.Rent(input.Rows, layer.OutputWidth);
            layer.Scale(input.RowRange(0, valueRows), layer._shift.Value, Value, workspace);
            layer.Scale(input.RowRange(valueRows, input.Rows - valueRows), layer._zero, Images, workspace);
        }

        public override void PrepareProducts(Workspace workspace)
        {
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace) => layer.Scale(w, layer._zero, result, workspace);

        public override void Jvp(Tensor t, Tensor result, Workspace workspace) => layer.Scale(t, layer._zero, result, workspace);

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            Tensor none = workspace.Rent(1, layer._channels);
            _backend.Fill(none, 0);
            int tangentRows = outputGradient.Rows - ValueRows;
            Part(0, ValueRows, layer._shift.In(gradient));
            Part(ValueRows, tangentRows, none); // tangents do not see the shift
            workspace.Release(mark);

            void Part(int start, int rows, Tensor shiftGradient)
            {
                Tensor noLogDet = workspace.Rent(rows, 1);
                _backend.Fill(noLogDet, 0);
                _backend.ActNormBackward(
                    layer.ByPixel(_output.RowRange(start, rows)), layer._logScale.Value, layer._pixels,
                    layer.ByPixel(outputGradient.RowRange(start, rows)), noLogDet, layer.ByPixel(inputGradient.RowRange(start, rows)),
                    shiftGradient, layer._logScale.In(gradient));
            }
        }
    }
}
