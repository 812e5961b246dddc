using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Tensors;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.LogDet;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Inverse;

/// <summary>One bijection of a flow as the real function that its numbers define.</summary>
/// <param name="Constants">Its constants, where it is defined.</param>
internal abstract record EnclosedStep(BiLipschitz Constants)
{
    /// <summary>Reads a bijection that is no residual block.</summary>
    /// <exception cref="NotSupportedException">It is of an unknown kind.</exception>
    public static EnclosedStep From(IBijection bijection, IBackend backend)
    {
        switch (bijection)
        {
            case ActNorm norm:
                double[] logScale = BranchNetwork.Numbers(norm.LogScale);
                return new ScaleStep(BranchNetwork.Numbers(norm.Shift), logScale, BiLipschitz.ActNorm(logScale));
            case LogitTransform logit:
                return new LogitStep(logit.Alpha, BiLipschitz.Logit(logit.Alpha));
            case Rearrangement:
                // Where it puts the numbers 0, 1, 2, ..; single precision has them exactly.
                var numbers = new double[bijection.Width];
                for (int i = 0; i < numbers.Length; i++)
                {
                    numbers[i] = i;
                }

                var workspace = new Workspace(backend);
                Tensor x = workspace.Rent(1, numbers.Length), y = workspace.Rent(1, numbers.Length);
                backend.Upload(numbers, x);
                bijection.Forward(x, y, workspace);
                backend.Download(y, numbers);
                return new MoveStep(Array.ConvertAll(numbers, number => (int)number));
            default:
                throw new NotSupportedException($"Nothing is known of {bijection.GetType().Name}: not certified.");
        }
    }

    /// <summary>Encloses F(x).</summary>
    public abstract Interval[] Forward(Interval[] x);

    /// <summary>Encloses F(x) and the log-determinant there.</summary>
    public abstract (Interval[] Value, Interval LogDet) WithLogDet(Interval[] x);
}

/// <summary>x + g(x).</summary>
internal sealed record BlockStep(BranchNetwork Network, double Bound) : EnclosedStep(BiLipschitz.Residual(Bound))
{
    /// <inheritdoc/>
    public override Interval[] Forward(Interval[] x) => Add(x, NetworkEnclosure.Value(Network, x));

    /// <inheritdoc/>
    public override (Interval[] Value, Interval LogDet) WithLogDet(Interval[] x)
    {
        (Interval[] g, Interval[,] jacobian) = NetworkEnclosure.ValueAndJacobian(Network, x);
        return (Add(x, g), LogDetBound.FromJacobian(jacobian, Bound));
    }

    private static Interval[] Add(Interval[] x, Interval[] g) => [.. x.Zip(g, (a, b) => a + b)];
}

/// <summary>(x + b) exp(w), b and w again for each pixel.</summary>
internal sealed record ScaleStep(double[] Shift, double[] LogScale, BiLipschitz Constants) : EnclosedStep(Constants)
{
    private readonly Interval[] _scale = [.. LogScale.Select(w => IntervalFunctions.Exp(w))];

    /// <inheritdoc/>
    public override Interval[] Forward(Interval[] x) =>
        [.. x.Select((value, i) => (value + Shift[i % Shift.Length]) * _scale[i % Shift.Length])];

    /// <inheritdoc/>
    public override (Interval[] Value, Interval LogDet) WithLogDet(Interval[] x)
    {
        Interval sum = 0;
        foreach (double w in LogScale)
        {
            sum += w;
        }

        return (Forward(x), x.Length / LogScale.Length * sum);
    }
}

/// <summary>log(s/(1 - s)) with s = a + (1 - 2a) x.</summary>
internal sealed record LogitStep(double Alpha, BiLipschitz Constants) : EnclosedStep(Constants)
{
    /// <summary>Whether F(x) exists.</summary>
    public bool IsDefinedAt(double x) => Inner(x) is { Lower: > 0, Upper: < 1 };

    /// <inheritdoc/>
    public override Interval[] Forward(Interval[] x) => [.. x.Select(value => new Interval(Point(value.Lower).Lower, Point(value.Upper).Upper))];

    /// <inheritdoc/>
    public override (Interval[] Value, Interval LogDet) WithLogDet(Interval[] x)
    {
        Interval sum = 0, scale = IntervalFunctions.Log(1 - (2 * (Interval)Alpha));
        foreach (Interval value in x)
        {
            Interval s = Inner(value);
            sum += scale - IntervalFunctions.Log(s) - IntervalFunctions.Log(1 - s);
        }

        return (Forward(x), sum);
    }

    private Interval Inner(Interval x) => Alpha + ((1 - (2 * (Interval)Alpha)) * x);

    private Interval Point(double x)
    {
        Interval s = Inner(x);
        return s is { Lower: > 0, Upper: < 1 }
            ? IntervalFunctions.Log(s) - IntervalFunctions.Log(1 - s)
            : throw new ArgumentOutOfRangeException(nameof(x), x, $"logit({Alpha} + {1 - (2 * Alpha)} x) does not exist; pictures have numbers in [0, 1].");
    }
}

/// <summary>A permutation: number i of the result is number Source[i] of x.</summary>
internal sealed record MoveStep(int[] Source) : EnclosedStep(BiLipschitz.Isometry)
{
    /// <inheritdoc/>
    public override Interval[] Forward(Interval[] x) => Array.ConvertAll(Source, i => x[i]);

    /// <inheritdoc/>
    public override (Interval[] Value, Interval LogDet) WithLogDet(Interval[] x) => (Forward(x), 0);
}
