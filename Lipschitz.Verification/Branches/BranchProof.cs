using Lipschitz.Verification.Dense;

namespace Lipschitz.Verification.Branches;

/// <summary>One factor of a product bound.</summary>
/// <param name="Name">Which layer, such as <c>layers.2</c>.</param>
/// <param name="Rule">linear, concat or act.</param>
/// <param name="Factor">The proven factor.</param>
/// <param name="Norm">At least the norm of the (scaled) weight; 1 for an activation.</param>
/// <param name="Activation">At least the constant of the activation; 1 where there is none.</param>
/// <param name="Spectral">How <paramref name="Norm"/> was proven, where it is a 2-norm.</param>
public sealed record FactorProof(string Name, string Rule, double Factor, double Norm, double Activation, SpectralNormProof? Spectral);

/// <summary><c>Lip(g) &lt;= Bound</c> in the p-norm on both sides, for the real function that the effective weights define.</summary>
/// <param name="P">The norm.</param>
/// <param name="Product">The product of <paramref name="Factors"/>, rounded up.</param>
/// <param name="Factors">Per layer, the first applied first.</param>
/// <param name="Tight">The bound by slope multipliers, where it was asked for and one exists.</param>
public sealed record BranchProof(double P, double Product, IReadOnlyList<FactorProof> Factors, MultiplierProof? Tight)
{
    /// <summary>The smaller of the two bounds.</summary>
    public double Bound => Tight is null ? Product : Math.Min(Product, Tight.Bound);

    /// <summary>Whether x + g(x) is proven invertible.</summary>
    public bool IsContraction => Bound < 1;
}

/// <summary><c>Lip(g)^2 &lt;= Rho</c> in the 2-norm, by one factorisation.</summary>
/// <param name="Bound">At least the square root of <paramref name="Rho"/>.</param>
/// <param name="Rho">The proven bound of the square.</param>
/// <param name="Multipliers">lambda &gt;= 0, one a neuron; from an optimiser, and the proof needs nothing of it.</param>
/// <param name="Steps">Evaluations of the optimiser.</param>
public sealed record MultiplierProof(double Bound, double Rho, IReadOnlyList<double> Multipliers, int Steps);
