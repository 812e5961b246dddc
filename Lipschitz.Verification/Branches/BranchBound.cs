using Lipschitz.Layers;
using Lipschitz.Verification.Activations;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Branches;

/// <summary>
/// Proven Lipschitz constants of Core's layers: the real functions that the numbers now in their effective weights define.
/// </summary>
/// <remarks>
/// After a change of parameters, or of the estimates of norms, call <see cref="ILayer.Prepare"/> before; not on a flow that was loaded. Its effective weights come from the
/// file, where a certificate may have needed them scaled down, and Prepare would make those of the parameters again: another function.
/// What is not covered: the rounding of an evaluation in single precision, which makes every computed function discontinuous;
/// see <c>EvaluationError</c> for its size.
/// </remarks>
public static class BranchBound
{
    /// <summary>Lip(g) &lt;= Bound of the result, in the p-norm on both sides.</summary>
    /// <param name="layer">g: any layer made of Core's.</param>
    /// <param name="p">The norm, 1 to positive infinity.</param>
    /// <param name="tight">Whether to look for slope multipliers, too; p = 2 only.</param>
    /// <exception cref="NotSupportedException">A layer of an unknown kind, or weights outside host memory: not certified.</exception>
    public static BranchProof Prove(ILayer layer, double p = 2, bool tight = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        IReadOnlyList<FactorProof> factors = Factors(layer, p);
        double product = 1;
        foreach (FactorProof factor in factors)
        {
            product = Outward.MultiplyUp(product, factor.Factor);
        }

        bool small = layer.InputWidth <= MultiplierBound.LargestWidth;
        BranchNetwork? network = tight && p == 2 && small ? BranchNetwork.From(layer) : null;
        return new(p, product, factors, network is null ? null : MultiplierBound.TryProve(network));
    }

    private static IReadOnlyList<FactorProof> Factors(ILayer layer, double p)
    {
        switch (layer)
        {
            case DenseNet net:
                return ProductBound.Prove(BranchNetwork.From(net)!, p);
            case Linear or Convolution:
                return ProductBound.Prove(BranchNetwork.From(layer)!, p);
            case ActivationLayer activation:
                double constant = ActivationBound.Lipschitz(activation.Function, p);
                return [new("activation", "act", constant, 1, constant, null)];
            case DenseLayer dense:
                return [Dense(dense, p)];
            case Sequential chain:
                return
                [
                    .. chain.Layers.SelectMany((part, i) => Factors(part, p).Select(factor => factor with { Name = $"{i}.{factor.Name}" })),
                ];
            default:
                throw new NotSupportedException($"Nothing is known of the layer {layer.GetType().Name}: not certified.");
        }
    }

    // A backend in single precision rounds e1 and e2, so both may be larger by 2^-24 of their size.
    private static FactorProof Dense(DenseLayer layer, double p)
    {
        IReadOnlyList<FactorProof> inner = Factors(layer.Inner, p);
        double product = 1;
        foreach (FactorProof factor in inner)
        {
            product = Outward.MultiplyUp(product, factor.Factor);
        }

        double rounding = 1 + Math.ScaleB(1, -23);
        (double e1, double e2) = layer.Concatenation.Factors()[0];
        double left = Outward.MultiplyUp(Math.Abs(e1), rounding), right = Outward.MultiplyUp(Math.Abs(e2), rounding);
        double bound = ConcatenationBound.Prove(p, left, Outward.MultiplyUp(right, product));
        return new("dense", "concat", bound, inner[0].Norm, inner[1].Activation, inner[0].Spectral);
    }
}
