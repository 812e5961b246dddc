using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// <c>y = (x + b) exp(w)</c> for each channel of a picture, where no log-determinant is asked for; a flow's own is a bijection. Set so
/// that its first batch comes out with mean 0 and variance 1.
/// </summary>
public sealed class ActNormLayer : ILayer
{
    private readonly IBackend _backend;
    private readonly ChannelScale _scale;
    private readonly Tensor _zero;

    /// <summary>Makes the identity.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="pixels">Pixels of a sample; 1 for a factor of its own for each column.</param>
    /// <param name="channels">Numbers of a pixel.</param>
    public ActNormLayer(IBackend backend, string name, int pixels, int channels)
    {
        _backend = backend;
        _scale = new ChannelScale(backend, name, channels, pixels);
        _zero = backend.Allocate(1, channels);
    }

    /// <inheritdoc/>
    public int InputWidth => _scale.Width;

    /// <inheritdoc/>
    public int OutputWidth => InputWidth;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => _scale.Parameters;

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights => [];

    /// <inheritdoc/>
    public double LipschitzEstimate => Bound(2);

    /// <inheritdoc/>
    public double Bound(double p) => Math.Exp(_scale.ReadLogScale().Max());

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
    public void Initialise(Tensor x) => _scale.Initialise(x);

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace) => _scale.Forward(x, _scale.Shift.Value, y, workspace);

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private sealed class AtPoints(ActNormLayer layer) : Linearization
    {
        private readonly IBackend _backend = layer._backend;
        private readonly ChannelScale _scale = layer._scale;
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            ValueRows = valueRows;
            _output = workspace.Rent(input.Rows, layer.OutputWidth);
            _scale.Forward(input.RowRange(0, valueRows), _scale.Shift.Value, Value, workspace);
            _scale.Forward(input.RowRange(valueRows, input.Rows - valueRows), layer._zero, Images, workspace);
        }

        public override void PrepareProducts(Workspace workspace)
        {
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace) => _scale.Forward(w, layer._zero, result, workspace);

        public override void Jvp(Tensor t, Tensor result, Workspace workspace) => _scale.Forward(t, layer._zero, result, workspace);

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            Tensor none = workspace.Rent(1, layer._zero.Columns);
            _backend.Fill(none, 0);
            int tangentRows = outputGradient.Rows - ValueRows;
            Part(0, ValueRows, _scale.Shift.In(gradient));
            Part(ValueRows, tangentRows, none); // tangents do not see the shift
            workspace.Release(mark);

            void Part(int start, int rows, Tensor shiftGradient)
            {
                Tensor noLogDet = workspace.Rent(rows, 1);
                _backend.Fill(noLogDet, 0);
                _backend.ActNormBackward(
                    _scale.ByPixel(_output.RowRange(start, rows)), _scale.LogScale.Value, _scale.Pixels,
                    _scale.ByPixel(outputGradient.RowRange(start, rows)), noLogDet, _scale.ByPixel(inputGradient.RowRange(start, rows)),
                    shiftGradient, _scale.LogScale.In(gradient));
            }
        }
    }
}
