using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>The learned scalars of one activation: one parameter [1, count], or none.</summary>
internal sealed class ActivationScalars
{
    private readonly Parameter? _parameter;
    private readonly Tensor _none;

    public ActivationScalars(IBackend backend, string name, Activation function)
    {
        double[] initial = function.InitialParameters();
        _none = backend.Allocate(1, 0);
        _parameter = initial.Length == 0
            ? null
            : new Parameter(backend, $"{name}.beta", ParameterRole.Activation, 1, initial.Length, initial);
    }

    public Parameter[] Parameters => _parameter is null ? [] : [_parameter];

    public Tensor Value => _parameter?.Value ?? _none;

    public Tensor GradientIn(Tensor flat) => _parameter?.In(flat) ?? _none;

    public static void ThrowUnlessFits(Activation function, int width)
    {
        if (function == Activation.MaxMin && width % 2 != 0)
        {
            throw new ShapeMismatchException($"MaxMin takes pairs of columns, so its width must be even, not {width}.");
        }
    }
}
