using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>A bijection that only moves numbers: no parameters, log-determinant 0, its inverse exact and its own adjoint.</summary>
public abstract class Rearrangement(string name, int width) : IBijection
{
    /// <inheritdoc/>
    public int Width { get; } = width;

    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => [];

    /// <inheritdoc/>
    public double InverseLipschitz => 1;

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
    public void Forward(Tensor x, Tensor y, Workspace workspace) => Move(x, y);

    /// <inheritdoc/>
    public void Inverse(Tensor y, Tensor x, FixedPointOptions options, Span<InverseError> errors, Workspace workspace)
    {
        MoveBack(y, x);
        errors.Clear();
    }

    /// <inheritdoc/>
    public BijectionPass CreatePass(LogDetEstimator estimator) => new Pass(this);

    /// <summary>y &lt;- the rearranged x. x, y [B, Width].</summary>
    protected abstract void Move(Tensor x, Tensor y);

    /// <summary>x &lt;- what <see cref="Move"/> makes y of.</summary>
    protected abstract void MoveBack(Tensor y, Tensor x);

    private sealed class Pass(Rearrangement map) : BijectionPass
    {
        private Tensor _output;

        public override Tensor Output => _output;

        public override void Forward(Tensor x, in DrawAddress draw, Tensor logDet, Workspace workspace)
        {
            _output = workspace.Rent(x.Rows, map.Width);
            map.Move(x, _output);
        }

        public override void Backward(
            Tensor outputGradient, Tensor logDetGradient, Tensor xGradient, Tensor gradient, Workspace workspace) =>
            map.MoveBack(outputGradient, xGradient);
    }
}

/// <summary>Each 2 x 2 pixels become one of four times the channels (Dinh et al. 2017; order as in <see cref="IBackend.Squeeze"/>).</summary>
public sealed class Squeeze : Rearrangement
{
    private readonly IBackend _backend;

    /// <summary>Makes the map of pictures of a shape.</summary>
    /// <exception cref="ShapeMismatchException">Height or width is odd.</exception>
    public Squeeze(IBackend backend, string name, ImageShape input)
        : base(name, input.Squeezed.Count) => (_backend, Input) = (backend, input);

    /// <summary>The shape of x.</summary>
    public ImageShape Input { get; }

    /// <inheritdoc/>
    protected override void Move(Tensor x, Tensor y) => _backend.Squeeze(x, Input, y);

    /// <inheritdoc/>
    protected override void MoveBack(Tensor y, Tensor x) => _backend.Unsqueeze(y, Input, x);
}

/// <summary>
/// Sorts the numbers of a picture by channel halves: first the pixels with the first half of the channels, then those with the second, so that
/// bijections of half the width go on with the first half and the second leaves (Dinh et al. 2017, factoring out).
/// </summary>
public sealed class ChannelSplit : Rearrangement
{
    private readonly IBackend _backend;

    /// <summary>Makes the map of pictures of a shape.</summary>
    /// <exception cref="ShapeMismatchException">The number of channels is odd.</exception>
    public ChannelSplit(IBackend backend, string name, ImageShape input)
        : base(name, input.Count)
    {
        if (input.Channels % 2 != 0)
        {
            throw new ShapeMismatchException($"{name}: {input.Channels} channels have no half to leave; squeeze first.");
        }

        (_backend, Input) = (backend, input);
    }

    /// <summary>The shape of x.</summary>
    public ImageShape Input { get; }

    /// <summary>The shape of the half that goes on.</summary>
    public ImageShape Kept => Input with { Channels = Input.Channels / 2 };

    /// <inheritdoc/>
    protected override void Move(Tensor x, Tensor y) => ForEachHalf(x, y, (pixels, half) => _backend.Copy(pixels, half));

    /// <inheritdoc/>
    protected override void MoveBack(Tensor y, Tensor x) => ForEachHalf(x, y, (pixels, half) => _backend.Copy(half, pixels));

    private void ForEachHalf(Tensor picture, Tensor halves, Action<Tensor, Tensor> copy)
    {
        for (int i = 0; i < picture.Rows; i++)
        {
            Tensor pixels = Input.ByPixel(picture.RowRange(i, 1)), row = halves.RowRange(i, 1);
            for (int half = 0; half < 2; half++)
            {
                copy(
                    pixels.ColumnRange(half * Kept.Channels, Kept.Channels),
                    row.ColumnRange(half * Kept.Count, Kept.Count).Reshape(Input.Pixels, Kept.Channels));
            }
        }
    }
}
