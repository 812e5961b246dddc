using Lipschitz.Backends;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// A weight matrix W [out, in] scaled down to a target norm: <c>N = W min(1, coefficient/sigma)</c> with sigma = u'W v, u and v kept
/// between updates (Chen et al. 2019, appendix D; Miyato et al. 2018).
/// </summary>
public sealed class NormalisedWeight
{
    private const int InitialIterations = 50;
    private readonly IBackend _backend;
    private readonly Normalisation _normalisation;
    private readonly Parameter _u;
    private readonly Parameter _v;
    private readonly Tensor _sigma;
    private readonly Tensor _ones;
    private readonly Tensor _unused;

    /// <summary>Draws W uniformly from +-scale/sqrt(in) and finds its norm.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="inputs">Columns.</param>
    /// <param name="outputs">Rows.</param>
    /// <param name="normalisation">The norm and its target.</param>
    /// <param name="key">The address of the initial numbers.</param>
    /// <param name="scale">A factor on the initial weights.</param>
    public NormalisedWeight(
        IBackend backend, string name, int inputs, int outputs, Normalisation normalisation, RandomKey key, double scale = 1)
    {
        (_backend, _normalisation) = (backend, normalisation);
        double range = scale / Math.Sqrt(inputs);
        Weight = new Parameter(backend, $"{name}.weight", ParameterRole.Weight, outputs, inputs, Initial.Uniform(outputs * inputs, range, key, Initial.WeightRow));
        _u = new Parameter(backend, $"{name}.u", ParameterRole.SingularVector, 1, outputs, Initial.UnitVector(outputs, key, Initial.LeftVectorRow));
        _v = new Parameter(backend, $"{name}.v", ParameterRole.SingularVector, 1, inputs, Initial.UnitVector(inputs, key, Initial.RightVectorRow));
        _sigma = backend.Allocate(1, 1);
        _ones = backend.Allocate(1, inputs);
        backend.Fill(_ones, 1);
        _unused = backend.Allocate(1, inputs);
        UpdateNorm(InitialIterations, 0);
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
    public void PullBack(Tensor gradient, Tensor columnScale, Tensor columnGradient) => _backend.NormaliseWeightBackward(
        Weight.Value, _u.Value, _v.Value, _sigma, _normalisation.Coefficient, columnScale, Weight.In(gradient), columnGradient);

    /// <summary>Turns the gradient with respect to N into that with respect to W, in place.</summary>
    public void PullBack(Tensor gradient) => PullBack(gradient, _ones, _unused);

    /// <summary>Improves u, v and sigma.</summary>
    public void UpdateNorm(int iterations, double tolerance)
    {
        if (_normalisation.IsSpectral)
        {
            _backend.PowerIterate(Weight.Value, iterations, tolerance, _u.Value, _v.Value, _sigma);
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
            _backend.PowerIterate(Weight.Value, 0, 0, _u.Value, _v.Value, _sigma);
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

    private double Scalar(Tensor tensor)
    {
        Span<double> value = stackalloc double[1];
        _backend.Download(tensor, value);
        return value[0];
    }
}
