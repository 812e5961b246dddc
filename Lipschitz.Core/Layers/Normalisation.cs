namespace Lipschitz.Layers;

/// <summary>
/// The norm a weight is scaled down to: the induced norm from the p-norm of its input to the q-norm of its output, and its target.
/// </summary>
public sealed record Normalisation
{
    private Normalisation(double p, double q, double coefficient) => (P, Q, Coefficient) = (p, q, coefficient);

    /// <summary>The norm of the input.</summary>
    public double P { get; }

    /// <summary>The norm of the output.</summary>
    public double Q { get; }

    /// <summary>The largest norm left alone; positive infinity for no normalisation.</summary>
    public double Coefficient { get; }

    /// <summary>Whether weights are left as they are.</summary>
    public bool IsNone => double.IsPositiveInfinity(Coefficient);

    /// <summary>Whether the norm is the largest singular value, estimated by power iteration.</summary>
    public bool IsSpectral => P == 2 && Q == 2;

    /// <summary>No normalisation; the spectral norm is still tracked.</summary>
    public static Normalisation None { get; } = new(2, 2, double.PositiveInfinity);

    /// <summary>The largest singular value scaled down to <paramref name="coefficient"/> where it is larger.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The coefficient is not positive.</exception>
    public static Normalisation Spectral(double coefficient)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(coefficient);
        return new(2, 2, coefficient);
    }

    /// <summary>An induced p to q norm with a closed form, scaled down to <paramref name="coefficient"/> where it is larger.</summary>
    /// <exception cref="NotSupportedException">The pair has no closed form; <see cref="InducedNorm"/> says which have.</exception>
    public static Normalisation Induced(double p, double q, double coefficient)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(coefficient);
        if (p == 2 && q == 2)
        {
            return Spectral(coefficient);
        }

        InducedNorm.ThrowUnlessClosedForm(p, q);
        return new(p, q, coefficient);
    }
}
