namespace Lipschitz.Backends;

/// <summary>The facts about each <see cref="Activation"/> that layers and backends share.</summary>
public static class Activations
{
    /// <summary>The divisor in LipSwish (Chen et al. 2019).</summary>
    public const double LipSwishDivisor = 1.1;

    /// <summary>The divisor in CLipSwish (Perugachi-Diaz et al. 2021).</summary>
    public const double CLipSwishDivisor = 1.004;

    /// <summary>t with t tanh t = 1, rounded up: the slope of x sigmoid(x) lies in [(1 - t)/2, (1 + t)/2].</summary>
    private const double T = 1.1996786402577339;

    /// <summary>The columns of the output when the input has <paramref name="columns"/>.</summary>
    public static int OutputColumns(this Activation f, int columns) => f == Activation.CLipSwish ? 2 * columns : columns;

    /// <summary>The columns of the slopes record when the input has <paramref name="columns"/>; see <see cref="IBackend.ActivationSlopes"/>.</summary>
    public static int SlopeColumns(this Activation f, int columns) => f switch
    {
        Activation.CLipSwish => 2 * columns,
        Activation.MaxMin => columns / 2,
        _ => columns,
    };

    /// <summary>The number of learned scalars.</summary>
    public static int ParameterCount(this Activation f) => f switch
    {
        Activation.LipSwish or Activation.CLipSwish => 1,
        Activation.LeakyLSwish => 2,
        _ => 0,
    };

    /// <summary>Whether output column j depends on input column j alone, so that the slopes act by multiplication.</summary>
    public static bool IsElementwise(this Activation f) => f is not (Activation.CLipSwish or Activation.MaxMin);

    /// <summary>The values the learned scalars start at (the papers' code).</summary>
    public static double[] InitialParameters(this Activation f) => f switch
    {
        Activation.LipSwish or Activation.CLipSwish => [0.5],
        Activation.LeakyLSwish => [-3, 0.5],
        _ => [],
    };

    /// <summary>
    /// A closed-form Lipschitz constant in the p-norm on both sides, for every value of the parameters.
    /// </summary>
    /// <param name="f">The nonlinearity.</param>
    /// <param name="p">The norm, 1 to positive infinity.</param>
    /// <remarks>
    /// LipSwish: the slope of x sigmoid(x) is at most (1 + t)/2 with t tanh t = 1, whatever the scale of x. CLipSwish: its two
    /// slopes are m and m - 1, so the constant is ((t + 1)^p + (t - 1)^p)^(1/p) / 2 over 1.1 * 1.004; above 1 for small p.
    /// </remarks>
    public static double LipschitzConstant(this Activation f, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        return f switch
        {
            Activation.LipSwish => (1 + T) / 2 / LipSwishDivisor,
            Activation.LeakyLSwish => 1, // a convex combination of 1 and something below 1
            Activation.CLipSwish when double.IsPositiveInfinity(p) => (1 + T) / 2 / LipSwishDivisor / CLipSwishDivisor,
            Activation.CLipSwish => Math.Pow(Math.Pow(T + 1, p) + Math.Pow(T - 1, p), 1 / p) / 2 / LipSwishDivisor / CLipSwishDivisor,
            _ => 1,
        };
    }
}
