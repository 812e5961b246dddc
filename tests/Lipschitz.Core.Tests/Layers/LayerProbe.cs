using Lipschitz.Backends;
using Lipschitz.Core.Tests.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Core.Tests.Layers;

/// <summary>A layer with scattered parameters and converged norms, evaluated on arrays.</summary>
internal sealed class LayerProbe
{
    private readonly IBackend _backend = LayerTable.Backend;
    private readonly Workspace _workspace = new(LayerTable.Backend);
    private readonly Linearization _linearization;

    public LayerProbe(ILayer layer)
    {
        Layer = layer;
        var random = new Random(11);
        foreach (Parameter parameter in layer.Parameters.Where(p => p.Role is not (ParameterRole.Weight or ParameterRole.SingularVector)))
        {
            _backend.Upload(Differences.Normal(random, parameter.Value.Count), parameter.Value);
        }

        Trained = new ParameterVector(_backend, layer.Parameters);
        layer.UpdateNorms(1000, 0);
        layer.Prepare();
        _linearization = layer.CreateLinearization();
    }

    public ILayer Layer { get; }

    public ParameterVector Trained { get; }

    /// <summary>g(x), then J t for each tangent.</summary>
    public double[] Evaluate(double[] stacked, int valueRows)
    {
        _workspace.Reset();
        _linearization.Evaluate(Upload(stacked, Layer.InputWidth), valueRows, _workspace);
        return _linearization.Output.Read();
    }

    public double[] Forward(double[] x)
    {
        _workspace.Reset();
        Tensor input = Upload(x, Layer.InputWidth), y = _workspace.Rent(input.Rows, Layer.OutputWidth);
        _backend.Fill(y, double.NaN);
        Layer.Forward(input, y, _workspace);
        return y.Read();
    }

    public double[] Vjp(double[] x, double[] w) => Product(x, w, Layer.OutputWidth, Layer.InputWidth, _linearization.Vjp);

    public double[] Jvp(double[] x, double[] t) => Product(x, t, Layer.InputWidth, Layer.OutputWidth, _linearization.Jvp);

    /// <summary>The gradients of sum(outputGradient * first rows of Evaluate(stacked)): of the input, and flat, of the parameters.</summary>
    public (double[] Input, double[] Parameters) Backward(double[] stacked, int valueRows, double[] outputGradient)
    {
        Tensor gradient = _backend.Allocate(1, Trained.Values.Columns);
        double[] input = AddBackward(stacked, valueRows, outputGradient, gradient);
        Layer.PullBack(gradient);
        return (input, gradient.Read());
    }

    /// <summary>The gradient of the input; that of the effective weights is added to <paramref name="gradient"/>.</summary>
    public double[] AddBackward(double[] stacked, int valueRows, double[] outputGradient, Tensor gradient)
    {
        Evaluate(stacked, valueRows);
        Tensor above = Upload(outputGradient, Layer.OutputWidth), below = _workspace.Rent(above.Rows, Layer.InputWidth);
        _backend.Fill(below, double.NaN);
        _linearization.Backward(above, below, gradient, _workspace);
        Assert.Equal(outputGradient, above.Read());
        return below.Read();
    }

    /// <summary>Central differences of a number with respect to one parameter, u and v of spectral norms held.</summary>
    public double[] Differentiate(Parameter parameter, Func<double> loss)
    {
        double[] original = parameter.Value.Read();
        double[] gradient = Differences.Gradient(
            values =>
            {
                _backend.Upload(values, parameter.Value);
                Layer.Prepare();
                return loss();
            },
            original);
        _backend.Upload(original, parameter.Value);
        Layer.Prepare();
        return gradient;
    }

    private double[] Product(double[] x, double[] rows, int width, int resultWidth, Action<Tensor, Tensor, Workspace> product)
    {
        Evaluate(x, x.Length / Layer.InputWidth);
        _linearization.PrepareProducts(_workspace);
        Tensor right = Upload(rows, width), result = _workspace.Rent(right.Rows, resultWidth);
        _backend.Fill(result, double.NaN);
        product(right, result, _workspace);
        return result.Read();
    }

    private Tensor Upload(double[] values, int columns)
    {
        Tensor tensor = _workspace.Rent(values.Length / columns, columns);
        _backend.Upload(values, tensor);
        return tensor;
    }
}
