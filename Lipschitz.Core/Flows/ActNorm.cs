using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary><c>y = (x + b) exp(w)</c> for each column, or each channel of a picture, set so that its first batch comes out with mean 0 and variance 1 (Kingma and Dhariwal 2018).</summary>
public sealed class ActNorm : IBijection
{
    private const double SmallestVariance = 0.2;
    private readonly IBackend _backend;
    private readonly Parameter _shift;
    private readonly Parameter _logScale;
    private readonly int _channels;
    private readonly int _pixels;

    /// <summary>Makes the identity.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="channels">The number of shifts and scales.</param>
    /// <param name="pixels">Pixels that share them; 1 where each column has its own.</param>
    public ActNorm(IBackend backend, string name, int channels, int pixels = 1)
    {
        (_backend, Name, _channels, _pixels) = (backend, name, channels, pixels);
        _shift = new Parameter(backend, $"{name}.shift", ParameterRole.ActNorm, 1, channels, new double[channels]);
        _logScale = new Parameter(backend, $"{name}.logScale", ParameterRole.ActNorm, 1, channels, new double[channels]);
        Parameters = [_shift, _logScale];
    }

    /// <summary>b [1, channels].</summary>
    public Tensor Shift => _shift.Value;

    /// <summary>w [1, channels].</summary>
    public Tensor LogScale => _logScale.Value;

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Width => _channels * _pixels;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public double InverseLipschitz
    {
        get
        {
            var logScale = new double[_channels];
            _backend.Download(_logScale.Value, logScale);
            return Math.Exp(-logScale.Min());
        }
    }

    /// <inheritdoc/>
    public void Prepare()
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
    public void Forward(Tensor x, Tensor y, Workspace workspace)
    {
        WorkspaceMark mark = workspace.Mark();
        Tensor unused = workspace.Rent(x.Rows, 1);
        _backend.Fill(unused, 0);
        _backend.ActNormForward(ByPixel(x), _shift.Value, _logScale.Value, _pixels, ByPixel(y), unused);
        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public void Inverse(Tensor y, Tensor x, FixedPointOptions options, Span<InverseError> errors, Workspace workspace)
    {
        _backend.ActNormInverse(ByPixel(y), _shift.Value, _logScale.Value, ByPixel(x));
        errors.Clear();
    }

    /// <inheritdoc/>
    public BijectionPass CreatePass(LogDetEstimator estimator) => new Pass(this);

    private Tensor ByPixel(Tensor x) => _pixels == 1 ? x : x.Reshape(x.Rows * _pixels, _channels);

    private sealed class Pass(ActNorm norm) : BijectionPass
    {
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Forward(Tensor x, in DrawAddress draw, Tensor logDet, Workspace workspace)
        {
            _output = workspace.Rent(x.Rows, norm.Width);
            norm._backend.ActNormForward(
                norm.ByPixel(x), norm._shift.Value, norm._logScale.Value, norm._pixels, norm.ByPixel(_output), logDet);
        }

        public override void Backward(
            Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace) =>
            norm._backend.ActNormBackward(
                norm.ByPixel(_output), norm._logScale.Value, norm._pixels, norm.ByPixel(outputGradient), logDetGradient,
                norm.ByPixel(xGradient), norm._shift.In(gradient), norm._logScale.In(gradient));
    }
}
