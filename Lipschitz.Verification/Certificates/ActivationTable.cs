using Lipschitz.Backends;

namespace Lipschitz.Verification.Certificates;

/// <summary>The constants of activations in the 2-norm that certificates use, for every value of the learned scalars.</summary>
internal static class ActivationTable
{
    /// <summary>A bound with few digits; the checker has the same table.</summary>
    public static double Constant(Activation activation) => activation switch
    {
        Activation.LipSwish => 0.99986,
        Activation.CLipSwish => 0.99997,
        Activation.Identity or Activation.ReLU or Activation.Elu or Activation.Tanh or Activation.Softplus => 1,
        Activation.LeakyLSwish or Activation.LipschitzCube or Activation.MaxMin => 1,
        _ => throw new NotSupportedException($"Certificates know no constant of {activation}."),
    };

    /// <summary>An interval that contains every slope, of LipSwish for CLipSwish; null where outputs couple inputs.</summary>
    public static (double Least, double Largest)? Slopes(Activation activation) => activation switch
    {
        Activation.MaxMin => null,
        Activation.Identity => (1, 1),
        Activation.LipSwish or Activation.CLipSwish => (-0.0907631, 0.99985393),
        Activation.LeakyLSwish => (-0.0907631, 1),
        _ => (0, 1),
    };
}
