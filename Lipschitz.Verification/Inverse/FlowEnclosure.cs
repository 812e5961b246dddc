using Lipschitz.Flows;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Inverse;

/// <summary>
/// Encloses what a flow's numbers define as a real function: F(x), log p(x), and how far a computed inverse is from the true one.
/// </summary>
/// <remarks>
/// The weights are read once, in the constructor. Nothing is assumed of how a backend evaluates: points are checked after the fact.
/// </remarks>
public sealed class FlowEnclosure
{
    private readonly EnclosedStep[] _steps;
    private readonly int[] _widths; // of each step: fewer than of the one before where features have left

    /// <summary>Reads a flow and proves a bound of each block.</summary>
    /// <param name="flow">
    /// The flow. After a change of its parameters call <see cref="Flow.Prepare"/> before; not on one that was loaded, whose effective weights may
    /// have been scaled down: Prepare would make those of the parameters again.
    /// </param>
    /// <param name="tight">Whether to look for the tighter bounds of the branches.</param>
    /// <exception cref="NotSupportedException">A bijection or branch of an unknown kind: not certified.</exception>
    public FlowEnclosure(Flow flow, bool tight = true)
    {
        Width = flow.Width;
        ResidualBlock[] blocks = [.. flow.Blocks];
        var proofs = new BranchProof[blocks.Length];
        try
        {
            Parallel.For(0, blocks.Length, i => proofs[i] = BranchBound.Prove(blocks[i].Branch, 2, tight));
        }
        catch (AggregateException failures) when (failures.InnerException is NotSupportedException unknown)
        {
            throw new NotSupportedException(unknown.Message, unknown);
        }

        int next = 0;
        _widths = [.. flow.Bijections.Select(bijection => bijection.Width)];
        _steps = [.. flow.Bijections.Select(bijection => bijection is ResidualBlock block
            ? new BlockStep(
                BranchNetwork.From(block.Branch) ?? throw new NotSupportedException($"{block.Name}: branches of this form are bounded but not enclosed."),
                proofs[next++].Bound)
            : EnclosedStep.From(bijection, flow.Backend))];

        // From the end: what acts on a part of the features only is F beside the identity, as a whole.
        BiLipschitz constants = BiLipschitz.Isometry;
        for (int i = _steps.Length - 1; i >= 0; i--)
        {
            bool partial = i + 1 < _steps.Length && _widths[i + 1] < _widths[i];
            constants = _steps[i].Constants.Then(partial ? constants.BesideIdentity() : constants);
        }

        (Proofs, Constants) = (proofs, constants);
    }

    /// <summary>Columns of a point.</summary>
    public int Width { get; }

    /// <summary>The proof of each residual block, in order.</summary>
    public IReadOnlyList<BranchProof> Proofs { get; }

    /// <summary>At least Lip(F) and Lip(F^-1), products over the chain; Lip(F) of a flow on pictures with numbers in [0, 1].</summary>
    public BiLipschitz Constants { get; }

    /// <summary>Encloses z = F(x).</summary>
    /// <exception cref="ArgumentOutOfRangeException">A logit transform does not exist at x.</exception>
    public Interval[] Forward(ReadOnlySpan<double> x)
    {
        Interval[] z = [.. x.ToArray().Select(Interval.FromDouble)];
        for (int i = 0; i < _steps.Length; i++)
        {
            _steps[i].Forward(z[.._widths[i]]).CopyTo(z, 0);
        }

        return z;
    }

    /// <summary>
    /// At least |x - F^-1(z)|_2, however x was found: Lip(F^-1) times the largest |F(x) - z|_2. Positive infinity unless every block is
    /// a proven contraction and F(x) exists.
    /// </summary>
    public double InverseError(ReadOnlySpan<double> x, ReadOnlySpan<double> z)
    {
        if (double.IsPositiveInfinity(Constants.Inverse))
        {
            return double.PositiveInfinity; // even F(x) = z would not say that x is the only one
        }

        if (_steps[0] is LogitStep logit && !x.ToArray().All(logit.IsDefinedAt))
        {
            return double.PositiveInfinity;
        }

        double square = 0;
        Interval[] image = Forward(x);
        for (int i = 0; i < image.Length; i++)
        {
            double residual = (image[i] - z[i]).Magnitude;
            square = Outward.AddUp(square, Outward.MultiplyUp(residual, residual));
        }

        return square == 0 ? 0 : Outward.MultiplyUp(Constants.Inverse, Outward.SqrtUp(square));
    }

    /// <summary>Encloses log p(x) in nats; meant for few dimensions, since it takes the whole Jacobian.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Some block is not a proven contraction, or a logit transform does not exist at x.</exception>
    public Interval LogDensity(ReadOnlySpan<double> x)
    {
        Interval[] z = [.. x.ToArray().Select(Interval.FromDouble)];
        Interval logDet = 0;
        for (int i = 0; i < _steps.Length; i++)
        {
            (Interval[] y, Interval own) = _steps[i].WithLogDet(z[.._widths[i]]);
            y.CopyTo(z, 0);
            logDet += own;
        }

        Interval square = 0;
        foreach (Interval entry in z)
        {
            square += entry.Square();
        }

        return logDet - (square / 2) - (Width * IntervalFunctions.Log(2 * IntervalFunctions.Pi) / 2);
    }
}
