namespace Lipschitz.Backends;

/// <summary>The nonlinearities as functions of one number, in double, written for clarity and for every size of argument.</summary>
internal static class ScalarActivation
{
    /// <summary><c>1 / (1 + exp(-x))</c>.</summary>
    public static double Sigmoid(double x)
    {
        double e = Math.Exp(-Math.Abs(x));
        return x >= 0 ? 1 / (1 + e) : e / (1 + e);
    }

    /// <summary><c>log(1 + exp(x))</c>.</summary>
    public static double Softplus(double x) => Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x)));

    /// <summary>
    /// The jet at <paramref name="x"/> of the function that makes an output column from an input column. CLipSwish has two of them:
    /// <paramref name="mirrored"/> picks the second.
    /// </summary>
    public static Jet Evaluate(Activation f, bool mirrored, double x, ReadOnlySpan<double> parameters)
    {
        switch (f)
        {
            case Activation.Identity:
                return new Jet(x, 1, 0);
            case Activation.ReLU:
                return new Jet(Math.Max(x, 0), x > 0 ? 1 : 0, 0);
            case Activation.Elu:
                return x > 0 ? new Jet(x, 1, 0) : new Jet(ExpMinusOne(x), Math.Exp(x), Math.Exp(x));
            case Activation.Tanh:
                double t = Math.Tanh(x);
                return new Jet(t, 1 - (t * t), -2 * t * (1 - (t * t)));
            case Activation.Softplus:
                return new Jet(Softplus(x), Sigmoid(x), Sigmoid(x) * Sigmoid(-x));
            case Activation.LipSwish:
                return LipSwish(x, parameters[0]);
            case Activation.CLipSwish:
                return Scaled(LipSwish(mirrored ? -x : x, parameters[0]), mirrored ? -1 : 1, 1 / Activations.CLipSwishDivisor);
            case Activation.LeakyLSwish:
                return LeakyLSwish(x, parameters[0], parameters[1]);
            case Activation.LipschitzCube:
                return Math.Abs(x) < 1 ? new Jet(x * x * x / 3, x * x, 2 * x) : new Jet(x - (Math.Sign(x) * 2.0 / 3), 1, 0);
            default:
                throw new ArgumentOutOfRangeException(nameof(f), f, "Not a function of one number.");
        }
    }

    private static Jet LipSwish(double x, double beta)
    {
        double s = Softplus(beta);
        double ds = Sigmoid(beta);
        double t = s * x;
        double g = Sigmoid(t);
        double bell = g * Sigmoid(-t); // sigmoid'(t)
        double curve = bell * (2 + (t * (1 - (2 * g))));
        return new Jet(
            x * g / Activations.LipSwishDivisor,
            (g + (t * bell)) / Activations.LipSwishDivisor,
            s * curve / Activations.LipSwishDivisor,
            x * x * bell * ds / Activations.LipSwishDivisor,
            x * curve * ds / Activations.LipSwishDivisor);
    }

    private static Jet LeakyLSwish(double x, double alpha, double beta)
    {
        double a = Sigmoid(alpha);
        double b = Sigmoid(-alpha);
        Jet h = LipSwish(x, beta);
        return new Jet(
            (a * x) + (b * h.Value),
            a + (b * h.First),
            b * h.Second,
            a * b * (x - h.Value),
            a * b * (1 - h.First),
            b * h.ValueBy0,
            b * h.FirstBy0);
    }

    /// <summary>The jet of <c>factor h(sign x)</c> from that of h at sign x.</summary>
    private static Jet Scaled(Jet h, double sign, double factor) =>
        new(factor * h.Value, factor * sign * h.First, factor * h.Second, factor * h.ValueBy0, factor * sign * h.FirstBy0);

    /// <summary>log(1 + z) for z >= 0, accurate for small z too (W. Kahan's correction).</summary>
    private static double LogOnePlus(double z)
    {
        double w = 1 + z;
        return w == 1 ? z : Math.Log(w) * z / (w - 1);
    }

    /// <summary>exp(x) - 1 for x at most 0, accurate for small x too (W. Kahan's correction).</summary>
    private static double ExpMinusOne(double x)
    {
        double w = Math.Exp(x);
        return w == 1 ? x : w < 0.5 ? w - 1 : (w - 1) * x / Math.Log(w);
    }

    /// <summary>A function of one number and up to two raw parameters, and its derivatives, at one point.</summary>
    /// <param name="Value">f(x).</param>
    /// <param name="First">f'(x).</param>
    /// <param name="Second">f''(x).</param>
    /// <param name="ValueBy0">The derivative of f(x) by the first parameter.</param>
    /// <param name="FirstBy0">The derivative of f'(x) by the first parameter.</param>
    /// <param name="ValueBy1">The derivative of f(x) by the second parameter.</param>
    /// <param name="FirstBy1">The derivative of f'(x) by the second parameter.</param>
    internal readonly record struct Jet(
        double Value, double First, double Second, double ValueBy0 = 0, double FirstBy0 = 0, double ValueBy1 = 0, double FirstBy1 = 0);
}
