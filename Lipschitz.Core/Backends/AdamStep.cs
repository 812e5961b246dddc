namespace Lipschitz.Backends;

/// <summary>The numbers of one Adam step (Kingma and Ba 2015, algorithm 1) with an optional running average of the parameters.</summary>
/// <param name="Step">1 for the first step; sets the bias corrections.</param>
/// <param name="LearningRate">Step size.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the square root of the corrected second moment.</param>
/// <param name="AverageDecay">Decay d of the average <c>a &lt;- d a + (1 - d) parameter</c>.</param>
public readonly record struct AdamStep(
    long Step, double LearningRate, double Beta1, double Beta2, double Epsilon, double AverageDecay);
