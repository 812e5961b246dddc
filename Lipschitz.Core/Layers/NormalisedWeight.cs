using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// A weight matrix W [out, in], or the weight [out taps, in] of a convolution, scaled down to a target norm:
/// <c>N = W min(1, coefficient/sigma)</c> with sigma = u'W v, u and v kept between updates (Chen et al. 2019, appendix D; Miyato et al. 2018).
/// </summary>
/// <remarks>
/// The norm of a convolution is that of the operator it is on pictures of its size, zero padding included; u and v are pictures then. A
/// 1 x 1 convolution has the norm of its matrix.
/// </remarks>
public sealed class NormalisedWeight
{
    private const int InitialIterations = 50;
    private const int InitialIterationsOfConvolution = 20; // each costs two convolutions of a whole picture
    private readonly IBackend _backend;
    private readonly Normalisation _normalisation;
    private readonly ConvolutionShape? _convolution; // null for a matrix
    private readonly Parameter _u;
    private readonly Parameter _v;
    private readonly Tensor _sigma;
    private readonly Tensor _ones;
    private readonly Tensor _unused;

    /// <summary>Draws W uniformly from +-scale/sqrt(fan-in) and finds its norm.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="inputs">Columns; the input channels of a convolution.</param>
    /// <param name="outputs">Rows; the output channels of a convolution.</param>
    /// <param name="normalisation">The norm and its target.</param>
    /// <param name="key">The address of the initial numbers.</param>
    /// <param name="scale">A factor on the initial weights.</param>
    /// <param name="convolution">Pixels and kernel where the weight is that of a convolution.</param>
    /// <exception cref="NotSupportedException">A convolution with a norm other than the spectral one.</exception>
    public NormalisedWeight(
        IBackend backend, string name, int inputs, int outputs, Normalisation normalisation, RandomKey key, double scale = 1,
        ConvolutionShape? convolution = null)
    {
        (_backend, _normalisation) = (backend, normalisation);
        _convolution = convolution is { Kernel: > 1 } ? convolution : null;
        if (_convolution is not null && !normalisation.IsSpectral)
        {
            throw new NotSupportedException($"{name}: a convolution is normalised by its spectral norm only.");
        }

        int taps = _convolution?.Taps ?? 1, pixels = _convolution?.Pixels ?? 1, rows = outputs * taps;
        double range = scale / Math.Sqrt(inputs * taps);
        Action<Span<double>> draws = Initial.UniformDraws(range, key, Initial.WeightRow);
        Weight = new Parameter(backend, $"{name}.weight", ParameterRole.Weight, rows, inputs, draws)
        {
            Uses = convolution?.Pixels ?? 1,
            Taps = taps,
            IsNormalised = !normalisation.IsNone,
        };
        _u = SingularVector($"{name}.u", pixels * outputs, key, Initial.LeftVectorRow);
        _v = SingularVector($"{name}.v", pixels * inputs, key, Initial.RightVectorRow);
        _sigma = backend.Allocate(1, 1);
        _ones = backend.Allocate(1, inputs);
        backend.Fill(_ones, 1);
        _unused = backend.Allocate(1, inputs);
        UpdateNorm(_convolution is null ? InitialIterations : InitialIterationsOfConvolution, 0);
    }

    /// <summary>W [out, in], unconstrained.</summary>
    public Parameter Weight { get; }

    /// <summary>W and the kept singular vectors.</summary>
    public IEnumerable<Parameter> Parameters => _normalisation.IsNone ? [Weight] : [Weight, _u, _v];

    /// <summary>The estimate of the norm of N; exact where the norm has a closed form.</summary>
    public double NormEstimate
    {
        get
        {
            double sigma = Scalar(_sigma);
            return _normalisation.IsNone ? sigma : Math.Min(sigma, _normalisation.Coefficient);
        }
    }

    /// <summary>effective &lt;- N, its column j times columnScale_j [1, in].</summary>
    public void Materialise(Tensor columnScale, Tensor effective)
    {
        RefreshSigma();
        _backend.NormaliseWeight(Weight.Value, _sigma, _normalisation.Coefficient, columnScale, effective);
    }

    /// <summary>effective &lt;- N.</summary>
    public void Materialise(Tensor effective) => Materialise(_ones, effective);

    /// <summary>
    /// Turns the gradient with respect to the effective weight into that with respect to W, in place, and writes the one with respect
    /// to the column scales.
    /// </summary>
    public void PullBack(Tensor gradient, Tensor columnScale, Tensor columnGradient)
    {
        if (_convolution is not { } shape)
        {
            _backend.NormaliseWeightBackward(
                Weight.Value, _u.Value, _v.Value, _sigma, _normalisation.Coefficient, columnScale, Weight.In(gradient), columnGradient);
            return;
        }

        // The derivative of u'(w * v) with respect to w, as that of any convolution.
        Workspace workspace = ThreadWorkspace.For(_backend);
        WorkspaceMark mark = workspace.Mark();
        Tensor sigmaGradient = workspace.Rent(Weight.Value.Rows, Weight.Value.Columns);
        _backend.Fill(sigmaGradient, 0);
        _backend.ConvolutionWeightGradient(
            shape, _v.Value.Reshape(shape.Pixels, Weight.Value.Columns), _u.Value.Reshape(shape.Pixels, Weight.Value.Rows / shape.Taps), sigmaGradient);
        _backend.NormaliseWeightBackward(
            Weight.Value, sigmaGradient, _sigma, _normalisation.Coefficient, columnScale, Weight.In(gradient), columnGradient);
        workspace.Release(mark);
    }

    /// <summary>Turns the gradient with respect to N into that with respect to W, in place.</summary>
    public void PullBack(Tensor gradient) => PullBack(gradient, _ones, _unused);

    /// <summary>Improves u, v and sigma.</summary>
    public void UpdateNorm(int iterations, double tolerance)
    {
        if (_normalisation.IsSpectral)
        {
            Iterate(iterations, tolerance);
        }
        else
        {
            RefreshSigma();
        }
    }

    private void RefreshSigma()
    {
        if (_normalisation.IsSpectral)
        {
            Iterate(0, 0);
        }
        else
        {
            // A closed form: sigma and its dual pair are functions of W alone, found anew on the host.
            int rows = Weight.Value.Rows, columns = Weight.Value.Columns;
            var w = new double[rows * columns];
            _backend.Download(Weight.Value, w);
            var u = new double[rows];
            var v = new double[columns];
            double sigma = InducedNorm.Exact(w, rows, columns, _normalisation.P, _normalisation.Q, u, v);
            _backend.Upload(u, _u.Value);
            _backend.Upload(v, _v.Value);
            _backend.Upload([sigma], _sigma);
        }
    }

    private void Iterate(int iterations, double tolerance)
    {
        if (_convolution is { } shape)
        {
            _backend.PowerIterateConvolution(shape, Weight.Value, iterations, tolerance, _u.Value, _v.Value, _sigma);
        }
        else
        {
            _backend.PowerIterate(Weight.Value, iterations, tolerance, _u.Value, _v.Value, _sigma);
        }
    }

    private Parameter SingularVector(string name, int length, RandomKey key, uint row) =>
        new(_backend, name, ParameterRole.SingularVector, 1, length, Initial.UnitVector(length, key, row));

    private double Scalar(Tensor tensor)
    {
        Span<double> value = stackalloc double[1];
        _backend.Download(tensor, value);
        return value[0];
    }
}
