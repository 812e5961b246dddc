using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

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
