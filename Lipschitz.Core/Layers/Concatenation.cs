using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>
/// The factors (e1, e2) of the dense layers of one block, on the circle of radius <see cref="Radius"/>: learned, or both c/sqrt 2
/// (Perugachi-Diaz et al. 2020, section 3.2 and eq. 4).
/// </summary>
public sealed class Concatenation
{
    private const double RawStart = 1;
    private readonly IBackend _backend;
    private readonly int[] _sliceWidths;
    private readonly Parameter _raw;
    private readonly Tensor _scalesGradient;

    /// <summary>Makes the factors of a chain of dense layers.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameter's name.</param>
    /// <param name="learnable">Whether the factors are trained.</param>
    /// <param name="radius">c.</param>
    /// <param name="sliceWidths">Columns of the input, then those that each dense layer adds.</param>
    public Concatenation(IBackend backend, string name, bool learnable, double radius, int[] sliceWidths)
    {
        (_backend, IsLearnable, Radius, _sliceWidths) = (backend, learnable, radius, sliceWidths);
        Depth = sliceWidths.Length - 1;
        var raw = new double[2 * Depth];
        Array.Fill(raw, RawStart);
        _raw = new Parameter(backend, $"{name}.concatenation", ParameterRole.Concatenation, Depth, 2, raw);
        Scales = backend.Allocate(Depth + 1, sliceWidths.Sum());
        _scalesGradient = backend.Allocate(Depth + 1, sliceWidths.Sum());
    }

    /// <summary>Whether the factors are trained.</summary>
    public bool IsLearnable { get; }

    /// <summary>c: every dense layer is at most c-Lipschitz when its inner map is 1-Lipschitz.</summary>
    public double Radius { get; }

    /// <summary>The number of dense layers.</summary>
    public int Depth { get; }

    /// <summary>The trained numbers K, if any.</summary>
    public Parameter[] Parameters => IsLearnable ? [_raw] : [];

    /// <summary>Column factors [depth + 1, sum of widths] of the raw slices; see <see cref="IBackend.ConcatenationScales"/>.</summary>
    public Tensor Scales { get; }

    /// <summary>Recomputes <see cref="Scales"/>.</summary>
    public void Prepare() => _backend.ConcatenationScales(_raw.Value, Radius, _sliceWidths, Scales);

    /// <summary>Where the gradient with respect to row i of <see cref="Scales"/> is written before <see cref="PullBack"/>.</summary>
    public Tensor ScalesGradientRow(int i, int columns) => _scalesGradient.RowRange(i, 1).ColumnRange(0, columns);

    /// <summary>The factors of layer i's input columns [1, columns].</summary>
    public Tensor ScalesRow(int i, int columns) => Scales.RowRange(i, 1).ColumnRange(0, columns);

    /// <summary>Adds the gradient with respect to K to the flat gradient.</summary>
    public void PullBack(Tensor gradient)
    {
        if (IsLearnable)
        {
            _backend.ConcatenationScalesBackward(_raw.Value, Radius, _sliceWidths, _scalesGradient, _raw.In(gradient));
        }
    }

    /// <summary>(e1, e2) of each dense layer, in order.</summary>
    public (double E1, double E2)[] Factors()
    {
        var raw = new double[2 * Depth];
        _backend.Download(_raw.Value, raw);
        var factors = new (double, double)[Depth];
        for (int i = 0; i < Depth; i++)
        {
            double h1 = Softplus(raw[2 * i]) + 0.1, h2 = Softplus(raw[(2 * i) + 1]) + 0.1;
            double norm = Math.Sqrt((h1 * h1) + (h2 * h2));
            factors[i] = (Radius * h1 / norm, Radius * h2 / norm);
        }

        return factors;
    }

    /// <summary>
    /// <c>Lip([e1 x; e2 f(x)]) &lt;= (e1^p + (e2 L)^p)^(1/p)</c> for every f with Lip(f) &lt;= L, and no smaller number would do
    /// (Perugachi-Diaz et al. 2020, appendix A).
    /// </summary>
    public static double Bound(double e1, double e2, double lipschitz, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        double a = Math.Abs(e1), b = Math.Abs(e2) * lipschitz;
        double largest = Math.Max(a, b);
        return largest == 0 || double.IsPositiveInfinity(p)
            ? largest
            : largest * Math.Pow(Math.Pow(a / largest, p) + Math.Pow(b / largest, p), 1 / p);
    }

    private static double Softplus(double x) => x > 30 ? x : Math.Log(1 + Math.Exp(x));
}
