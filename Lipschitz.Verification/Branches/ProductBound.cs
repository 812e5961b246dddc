using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Convolutions;
using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Branches;

/// <summary>The product of a branch's layers, from the effective weights alone.</summary>
/// <remarks>
/// <para>
/// Chains: <c>Lip(g) &lt;= |W_L| prod L_i |W_i|</c>. Dense networks: let D_i = diag(1, r_1, .., r_i) act on the slices and
/// h_i = D_i^-1 [x; a_1; .. a_i]. Then <c>h_(i+1) = [h_i; a_(i+1)/r_(i+1)]</c> with a_(i+1) = phi(W D_i h_i + b), so
/// <c>Lip(h_i -&gt; h_(i+1)) &lt;= |(1, L |W D_i| / r_(i+1))|_p</c>, and the last stage adds |W_L D_L|. This holds for any r &gt; 0; the
/// r of <see cref="BranchNetwork"/> give the layer-wise bound of the paper, without ever dividing by the rounded factors e1, e2.
/// </para>
/// <para>
/// On pictures the weights are convolutions, and D_i acts on channels.
/// </para>
/// <para>
/// r and single-precision weights have 24 bits, so W D is exact in double. For weights in double the products are rounded, which moves
/// the matrix by at most u |W D|_F.
/// </para>
/// </remarks>
public static class ProductBound
{
    /// <summary>The factors, in order of application; their product bounds Lip(g) in the p-norm.</summary>
    public static IReadOnlyList<FactorProof> Prove(BranchNetwork network, double p)
    {
        var factors = new List<FactorProof>();
        for (int i = 0; i <= network.Stages.Count; i++)
        {
            bool last = i == network.Stages.Count;
            DenseStage stage = last ? network.Last : network.Stages[i];
            (double norm, SpectralNormProof? spectral) = Norm(network, stage, p);
            double lipschitz = last ? 1 : ActivationBound.Lipschitz(stage.Function, p);
            double inner = Outward.MultiplyUp(lipschitz, norm);
            bool concatenates = !last && network.Scales is not null && i >= network.Chained;
            double factor = concatenates
                ? ConcatenationBound.Prove(p, 1, Outward.DivideUp(inner, network.Scales![i + 1]))
                : inner;
            factors.Add(new(last ? "final" : $"layers.{i}", concatenates ? "concat" : "linear", factor, norm, lipschitz, spectral));
        }

        return factors;
    }

    private static (double Norm, SpectralNormProof? Proof) Norm(BranchNetwork network, DenseStage stage, double p)
    {
        var scaled = (double[])stage.Weight.Clone();
        bool exact = true;
        int start = 0;
        for (int j = 0; network.Scales is not null && start < stage.Inputs; j++)
        {
            int width = j == 0 ? network.InputWidth : network.Stages[j - 1].SliceWidth;
            double r = network.Scales[j];
            for (int i = 0; i < scaled.Length / stage.Inputs; i++)
            {
                foreach (ref double w in scaled.AsSpan((i * stage.Inputs) + start, width))
                {
                    exact &= (float)w == w && (Math.Abs(w * r) > 1e-200 || w == 0);
                    w *= r;
                }
            }

            start += width;
        }

        SpectralNormProof? proof = p == 2 && stage.Kernel == 1 ? SpectralNormBound.Prove(scaled, stage.Outputs, stage.Inputs) : null;
        double norm = proof?.Bound ?? (stage.Kernel == 1
            ? InducedNormBound.Prove(scaled, stage.Outputs, stage.Inputs, p, p)
            : ConvolutionNormBound.ProveInduced(
                new ConvolutionKernel(scaled, stage.Outputs, stage.Kernel, stage.Kernel, stage.Inputs), network.Height, network.Width, p));
        if (exact)
        {
            return (norm, proof);
        }

        // |fl(W D) - W D|_p <= the sum of all |entries| times 2u, for every p, of a convolution, too; the allowance covers underflow.
        double sum = VectorNorm.Up(scaled, 1);
        double error = Outward.AddUp(Outward.MultiplyUp(sum, 2 * FloatingPoint.UnitRoundoff), FloatingPoint.UnderflowAllowance);
        return (Outward.AddUp(norm, error), proof);
    }
}
