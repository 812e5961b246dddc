using Lipschitz.Backends;
using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Activations;

/// <summary>
/// Proven Lipschitz constants and slopes of the nonlinearities, for every value of their parameters.
/// </summary>
/// <remarks>
/// <para>
/// The functions are the real ones of <see cref="Activation"/>, with divisors 1.1 and 1.004; how a backend rounds is part of the error of
/// an evaluation. ReLU, tanh, softplus, ELU and LipschitzCube have slopes in [0, 1]. MaxMin permutes coordinates locally: 1 in every p.
/// </para>
/// <para>
/// LipSwish's slope does not depend on the scale s &gt; 0 of its argument: d/dx [x sigmoid(s x)] = s'(v) at v = s x. A scale of 0 gives
/// slope 1/2, inside the range. LeakyLSwish is a convex combination of 1 and such a slope. CLipSwish: slopes m and m - 1, both over
/// 1.1 * 1.004; |(m, 1 - m)|_p is convex in m and symmetric about 1/2, so largest at the ends, |(1 + t)/2| and |(1 - t)/2|.
/// </para>
/// </remarks>
public static class ActivationBound
{
    /// <summary>At least the Lipschitz constant of f in the p-norm on both sides.</summary>
    public static double Lipschitz(Activation f, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        if (f != Activation.CLipSwish)
        {
            return Slopes(f).Magnitude;
        }

        double norm = VectorNorm.Up([SwishConstants.LargestSlope.Upper, -SwishConstants.LeastSlope.Lower], p);
        return (norm / (SwishConstants.LipSwishDivisor * SwishConstants.CLipSwishDivisor)).Upper;
    }

    /// <summary>An interval that contains every slope of f; for CLipSwish, of each of its two functions up to sign; for MaxMin, the entries of
    /// its Jacobian.</summary>
    public static Interval Slopes(Activation f) => f switch
    {
        Activation.Identity => 1,
        Activation.ReLU or Activation.Elu or Activation.Tanh or Activation.Softplus or Activation.LipschitzCube => new(0, 1),
        Activation.LipSwish => LipSwishSlopes(),
        Activation.CLipSwish => LipSwishSlopes() / SwishConstants.CLipSwishDivisor,
        Activation.LeakyLSwish => Interval.Hull(1, LipSwishSlopes()),
        Activation.MaxMin => new(0, 1), // the entries of the local permutation matrix
        _ => throw new NotSupportedException($"No slopes are known of {f}: not certified."),
    };

    private static Interval LipSwishSlopes() =>
        Interval.Hull(SwishConstants.LeastSlope, SwishConstants.LargestSlope) / SwishConstants.LipSwishDivisor;
}
