using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary><c>y = (x + b) exp(w)</c> for each column, or each channel of a picture, set so that its first batch comes out with mean 0 and variance 1 (Kingma and Dhariwal 2018).</summary>
public sealed class ActNorm : IBijection
{
    private readonly IBackend _backend;
    private readonly ChannelScale _scale;

    /// <summary>Makes the identity.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="channels">The number of shifts and scales.</param>
    /// <param name="pixels">Pixels that share them; 1 where each column has its own.</param>
    public ActNorm(IBackend backend, string name, int channels, int pixels = 1)
    {
        (_backend, Name) = (backend, name);
        _scale = new ChannelScale(backend, name, channels, pixels);
    }

    /// <summary>b [1, channels].</summary>
    public Tensor Shift => _scale.Shift.Value;

    /// <summary>w [1, channels].</summary>
    public Tensor LogScale => _scale.LogScale.Value;

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Width => _scale.Width;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => _scale.Parameters;

    /// <inheritdoc/>
    public double InverseLipschitz => Math.Exp(-_scale.ReadLogScale().Min());

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
    public void Initialise(Tensor x) => _scale.Initialise(x);

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace) => _scale.Forward(x, Shift, y, workspace);

    /// <inheritdoc/>
    public void Inverse(Tensor y, Tensor x, FixedPointOptions options, Span<InverseError> errors, Workspace workspace)
    {
        _backend.ActNormInverse(_scale.ByPixel(y), Shift, LogScale, _scale.ByPixel(x));
        errors.Clear();
    }

    /// <inheritdoc/>
    public BijectionPass CreatePass(LogDetEstimator estimator) => new Pass(this);

    private sealed class Pass(ActNorm norm) : BijectionPass
    {
        private readonly ChannelScale _scale = norm._scale;
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Forward(Tensor x, in DrawAddress draw, Tensor logDet, Workspace workspace)
        {
            _output = workspace.Rent(x.Rows, norm.Width);
            norm._backend.ActNormForward(_scale.ByPixel(x), norm.Shift, norm.LogScale, _scale.Pixels, _scale.ByPixel(_output), logDet);
        }

        public override void Backward(
            Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace) =>
            norm._backend.ActNormBackward(
                _scale.ByPixel(_output), norm.LogScale, _scale.Pixels, _scale.ByPixel(outputGradient), logDetGradient,
                _scale.ByPixel(xGradient), _scale.Shift.In(gradient), _scale.LogScale.In(gradient));
    }
}
