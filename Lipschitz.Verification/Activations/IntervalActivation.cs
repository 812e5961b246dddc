using Lipschitz.Backends;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Activations;

/// <summary>Enclosures of the nonlinearities and of their slopes, from the library's own exponential.</summary>
public static class IntervalActivation
{
    /// <summary>Encloses phi(x), column by column; CLipSwish doubles the columns, MaxMin sorts pairs.</summary>
    /// <param name="f">phi.</param>
    /// <param name="scalars">Its raw scalars.</param>
    /// <param name="x">Columns.</param>
    public static Interval[] Value(Activation f, ReadOnlySpan<double> scalars, ReadOnlySpan<Interval> x)
    {
        int n = x.Length;
        var y = new Interval[f.OutputColumns(n)];
        if (f == Activation.MaxMin)
        {
            for (int i = 0; i < n / 2; i++)
            {
                (Interval a, Interval b) = (x[2 * i], x[(2 * i) + 1]);
                y[i] = new(Math.Max(a.Lower, b.Lower), Math.Max(a.Upper, b.Upper));
                y[(n / 2) + i] = new(Math.Min(a.Lower, b.Lower), Math.Min(a.Upper, b.Upper));
            }

            return y;
        }

        Interval scale = Scale(f, scalars), share = f == Activation.LeakyLSwish ? IntervalFunctions.Sigmoid(scalars[0]) : 0;
        for (int i = 0; i < n; i++)
        {
            y[i] = f switch
            {
                Activation.LipSwish => LipSwish(x[i], scale),
                Activation.CLipSwish => LipSwish(x[i], scale) / SwishConstants.CLipSwishDivisor,
                Activation.LeakyLSwish => (share * x[i]) + ((1 - share) * LipSwish(x[i], scale)),
                _ => new(Increasing(f, x[i].Lower).Lower, Increasing(f, x[i].Upper).Upper),
            };
            if (f == Activation.CLipSwish)
            {
                y[n + i] = LipSwish(-x[i], scale) / SwishConstants.CLipSwishDivisor;
            }
        }

        return y;
    }

    /// <summary>
    /// Encloses the slopes of the elementwise nonlinearities; for CLipSwish those of the first half then of the second, sign included.
    /// </summary>
    /// <exception cref="NotSupportedException">MaxMin, which has none.</exception>
    public static Interval[] Slope(Activation f, ReadOnlySpan<double> scalars, ReadOnlySpan<Interval> x)
    {
        if (f == Activation.MaxMin)
        {
            throw new NotSupportedException("MaxMin has no slope per column: its Jacobian is not enclosed.");
        }

        int n = x.Length;
        var y = new Interval[f.OutputColumns(n)];
        Interval scale = Scale(f, scalars), share = f == Activation.LeakyLSwish ? IntervalFunctions.Sigmoid(scalars[0]) : 0;
        for (int i = 0; i < n; i++)
        {
            y[i] = f switch
            {
                Activation.LipSwish => SwishSlope(scale * x[i]),
                Activation.CLipSwish => SwishSlope(scale * x[i]) / SwishConstants.CLipSwishDivisor,
                Activation.LeakyLSwish => share + ((1 - share) * SwishSlope(scale * x[i])),
                _ => SlopeOf(f, x[i]),
            };
            if (f == Activation.CLipSwish)
            {
                y[n + i] = -SwishSlope(-(scale * x[i])) / SwishConstants.CLipSwishDivisor;
            }
        }

        return y;
    }

    // softplus of the last raw scalar.
    private static Interval Scale(Activation f, ReadOnlySpan<double> scalars) =>
        f is Activation.LipSwish or Activation.CLipSwish or Activation.LeakyLSwish ? Softplus(scalars[^1]) : 0;

    private static Interval LipSwish(Interval x, Interval scale) => x * IntervalFunctions.Sigmoid(scale * x) / SwishConstants.LipSwishDivisor;

    private static Interval SwishSlope(Interval v)
    {
        Interval s = IntervalFunctions.Sigmoid(v), slope = s * (1 + (v * (1 - s))) / SwishConstants.LipSwishDivisor;
        return Interval.Intersect(slope, ActivationBound.Slopes(Activation.LipSwish));
    }

    private static Interval Softplus(double x)
    {
        Interval e = IntervalFunctions.Exp(-Math.Abs(x));
        return Math.Max(x, 0) + IntervalFunctions.Log(1 + e);
    }

    // The increasing ones, at a point.
    private static Interval Increasing(Activation f, double x) => f switch
    {
        Activation.Identity => x,
        Activation.ReLU => Math.Max(x, 0),
        Activation.Elu => x > 0 ? x : IntervalFunctions.Exp(x) - 1,
        Activation.Tanh => x < 0 ? -Tanh(-x) : Tanh(x),
        Activation.Softplus => Softplus(x),
        Activation.LipschitzCube => Math.Abs(x) < 1 ? x * ((Interval)x).Square() / 3 : x - ((Interval)(2 * Math.Sign(x)) / 3),
        _ => throw new NotSupportedException($"{f} is not enclosed."),
    };

    // (1 - e)/(1 + e), e = exp(-2x), x >= 0.
    private static Interval Tanh(double x)
    {
        Interval e = IntervalFunctions.Exp(-(2 * (Interval)x));
        return (1 - e) / (1 + e);
    }

    private static Interval SlopeOf(Activation f, Interval x)
    {
        switch (f)
        {
            case Activation.Identity:
                return 1;
            case Activation.ReLU:
                return new(x.Lower > 0 ? 1 : 0, x.Upper > 0 ? 1 : 0); // backends take slope 0 at 0
            case Activation.Elu:
                Interval e = IntervalFunctions.Exp(x);
                return new(Math.Min(1, e.Lower), Math.Min(1, e.Upper));
            case Activation.Tanh:
                Interval t = new(Increasing(f, x.Lower).Lower, Increasing(f, x.Upper).Upper);
                return Interval.Intersect(1 - t.Square(), new(0, 1));
            case Activation.Softplus:
                return IntervalFunctions.Sigmoid(x);
            case Activation.LipschitzCube:
                Interval square = x.Square();
                return new(Math.Min(1, square.Lower), Math.Min(1, square.Upper));
            default:
                throw new NotSupportedException($"The slope of {f} is not enclosed.");
        }
    }
}
