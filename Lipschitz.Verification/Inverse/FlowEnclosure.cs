using Lipschitz.Flows;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.LogDet;
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
    private readonly List<(BranchNetwork Network, double Bound)?> _blocks = [];
    private readonly List<(double[] Shift, double[] LogScale)> _norms = [];

    /// <summary>Reads a flow and proves a bound of each block.</summary>
    /// <param name="flow">The flow; call <see cref="Flow.Prepare"/> before.</param>
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
        BiLipschitz constants = BiLipschitz.Isometry;
        foreach (IBijection bijection in flow.Bijections)
        {
            switch (bijection)
            {
                case ResidualBlock block:
                    BranchProof proof = proofs[next++];
                    BranchNetwork network = BranchNetwork.From(block.Branch)
                        ?? throw new NotSupportedException($"{block.Name}: branches of this form are bounded but not enclosed.");
                    _blocks.Add((network, proof.Bound));
                    _norms.Add(default);
                    constants = constants.Then(BiLipschitz.Residual(proof.Bound));
                    break;
                case ActNorm norm:
                    double[] logScale = BranchNetwork.Numbers(norm.LogScale);
                    _blocks.Add(null);
                    _norms.Add((BranchNetwork.Numbers(norm.Shift), logScale));
                    constants = constants.Then(BiLipschitz.ActNorm(logScale));
                    break;
                default:
                    throw new NotSupportedException($"Nothing is known of {bijection.GetType().Name}: not certified.");
            }
        }

        (Proofs, Constants) = (proofs, constants);
    }

    /// <summary>Columns of a point.</summary>
    public int Width { get; }

    /// <summary>The proof of each residual block, in order.</summary>
    public IReadOnlyList<BranchProof> Proofs { get; }

    /// <summary>At least Lip(F) and Lip(F^-1), products over the chain.</summary>
    public BiLipschitz Constants { get; }

    /// <summary>Encloses z = F(x).</summary>
    public Interval[] Forward(ReadOnlySpan<double> x)
    {
        Interval[] z = [.. x.ToArray().Select(Interval.FromDouble)];
        for (int i = 0; i < _blocks.Count; i++)
        {
            z = _blocks[i] is { } block ? Add(z, NetworkEnclosure.Value(block.Network, z)) : Scale(z, _norms[i]);
        }

        return z;
    }

    /// <summary>
    /// At least |x - F^-1(z)|_2, however x was found: Lip(F^-1) times the largest |F(x) - z|_2. Positive infinity unless every block is
    /// a proven contraction.
    /// </summary>
    public double InverseError(ReadOnlySpan<double> x, ReadOnlySpan<double> z)
    {
        if (double.IsPositiveInfinity(Constants.Inverse))
        {
            return double.PositiveInfinity; // even F(x) = z would not say that x is the only one
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
    /// <exception cref="ArgumentOutOfRangeException">Some block is not a proven contraction.</exception>
    public Interval LogDensity(ReadOnlySpan<double> x)
    {
        Interval[] z = [.. x.ToArray().Select(Interval.FromDouble)];
        Interval logDet = 0;
        for (int i = 0; i < _blocks.Count; i++)
        {
            if (_blocks[i] is { } block)
            {
                (Interval[] g, Interval[,] jacobian) = NetworkEnclosure.ValueAndJacobian(block.Network, z);
                logDet += LogDetBound.FromJacobian(jacobian, block.Bound);
                z = Add(z, g);
            }
            else
            {
                foreach (double w in _norms[i].LogScale)
                {
                    logDet += w;
                }

                z = Scale(z, _norms[i]);
            }
        }

        Interval square = 0;
        foreach (Interval entry in z)
        {
            square += entry.Square();
        }

        return logDet - (square / 2) - (Width * IntervalFunctions.Log(2 * IntervalFunctions.Pi) / 2);
    }

    private static Interval[] Add(Interval[] x, Interval[] g) => [.. x.Zip(g, (a, b) => a + b)];

    private static Interval[] Scale(Interval[] x, (double[] Shift, double[] LogScale) norm) =>
        [.. x.Select((value, i) => (value + norm.Shift[i]) * IntervalFunctions.Exp(norm.LogScale[i]))];
}
