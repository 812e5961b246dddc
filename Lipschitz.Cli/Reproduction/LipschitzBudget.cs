using Lipschitz.Backends;
using Lipschitz.Models;

namespace Lipschitz.Cli.Reproduction;

/// <summary>
/// The product bound that the settings allow Lip(g) of a block of points, when every weight reaches its coefficient and a learned concatenation
/// its most favourable factors. It is a target, not a proof: power iteration may read norms low.
/// </summary>
internal static class LipschitzBudget
{
    /// <summary>The bound; null for models of pictures, whose blocks differ.</summary>
    public static double? Of(ModelSettings model)
    {
        if (model.Image is not null)
        {
            return null;
        }

        double layer = model.Activation.LipschitzConstant(2) * model.Coefficient;
        if (model.Branch == BranchKind.Residual)
        {
            return Math.Pow(layer, model.Hidden.Length + 1);
        }

        // [e1 x; e2 f(x)] with Lip(f) = layer: sqrt(e1^2 + (e2 layer)^2), which on the circle of radius c is at most c max(1, layer).
        double dense = model.Concatenation == ConcatenationKind.Learnable ? Math.Max(1, layer) : Math.Sqrt((1 + (layer * layer)) / 2);
        return Math.Pow(model.ConcatenationBound * dense, model.Depth) * model.Coefficient;
    }
}
