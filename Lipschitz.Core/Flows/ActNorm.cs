using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary><c>y = (x + b) exp(w)</c> for each column, set so that its first batch comes out with mean 0 and variance 1 (Kingma and Dhariwal 2018).</summary>
public sealed class ActNorm : IBijection
{
    private const double SmallestVariance = 0.2;
    private readonly IBackend _backend;
    private readonly Parameter _shift;
    private readonly Parameter _logScale;

    /// <summary>Makes the identity.</summary>
    public ActNorm(IBackend backend, string name, int width)
    {
        (_backend, Name, Width) = (backend, name, width);
        _shift = new Parameter(backend, $"{name}.shift", ParameterRole.ActNorm, 1, width, new double[width]);
        _logScale = new Parameter(backend, $"{name}.logScale", ParameterRole.ActNorm, 1, width, new double[width]);
        Parameters = [_shift, _logScale];
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public double InverseLipschitz
    {
        get
        {
            var logScale = new double[Width];
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
        Tensor mean = _backend.Allocate(1, Width), variance = _backend.Allocate(1, Width);
        _backend.ColumnMoments(x, mean, variance);
        var shift = new double[Width];
        var logScale = new double[Width];
        _backend.Download(mean, shift);
        _backend.Download(variance, logScale);
        for (int j = 0; j < Width; j++)
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
        _backend.ActNormForward(x, _shift.Value, _logScale.Value, 1, y, unused);
        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public void Inverse(Tensor y, Tensor x, FixedPointOptions options, Span<InverseError> errors, Workspace workspace)
    {
        _backend.ActNormInverse(y, _shift.Value, _logScale.Value, x);
        errors.Clear();
    }

    /// <inheritdoc/>
    public BijectionPass CreatePass(LogDetEstimator estimator) => new Pass(this);

    private sealed class Pass(ActNorm norm) : BijectionPass
    {
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Forward(Tensor x, in DrawAddress draw, Tensor logDet, Workspace workspace)
        {
            _output = workspace.Rent(x.Rows, norm.Width);
            norm._backend.ActNormForward(x, norm._shift.Value, norm._logScale.Value, 1, _output, logDet);
        }

        public override void Backward(
            Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace) =>
            norm._backend.ActNormBackward(
                _output, norm._logScale.Value, 1, outputGradient, logDetGradient, xGradient, norm._shift.In(gradient),
                norm._logScale.In(gradient));
    }
}
