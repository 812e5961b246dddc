namespace Lipschitz.Checker;

/// <summary>A nonlinearity whose Lipschitz constant in the 2-norm is known for every value of its learned scalars.</summary>
/// <param name="Name">Its name in config.json.</param>
/// <param name="Lipschitz">A bound of the constant.</param>
/// <param name="Slopes">An interval that contains the slopes, of LipSwish for CLipSwish; null where outputs couple inputs.</param>
/// <param name="Scalars">Learned scalars.</param>
/// <remarks>
/// s(v) = v sigmoid(v) has slopes between (1 - t)/2 and (1 + t)/2 where t tanh t = 1, and t &lt; 1.199678646. So LipSwish, s(bx)/(1.1 b), has
/// slopes in (-0.0907631, 0.99985393). As s'(v) + s'(-v) = 1, the pair of CLipSwish, over 1.004, has sqrt((1 + t^2)/2)/1.1044 &lt; 0.99997.
/// LeakyLSwish is a convex combination of slope 1 and those of LipSwish. docs/verification.md has the proofs.
/// </remarks>
internal sealed record ActivationConstant(string Name, double Lipschitz, (double Least, double Largest)? Slopes, int Scalars = 0)
{
    private static readonly ActivationConstant[] s_table =
    [
        new("Identity", 1, (1, 1)),
        new("ReLU", 1, (0, 1)),
        new("Elu", 1, (0, 1)),
        new("Tanh", 1, (0, 1)),
        new("Softplus", 1, (0, 1)),
        new("LipSwish", 0.99986, (-0.0907631, 0.99985393), 1),
        new("CLipSwish", 0.99997, (-0.0907631, 0.99985393), 1),
        new("LeakyLSwish", 1, (-0.0907631, 1), 2),
        new("LipschitzCube", 1, (0, 1)),
        new("MaxMin", 1, null),
    ];

    /// <summary>The number of columns must be a multiple of this.</summary>
    public int Multiple => Name == "MaxMin" ? 2 : 1;

    public static ActivationConstant Find(string name, string field) => Array.Find(s_table, a => a.Name == name)
        ?? throw new Refusal(field, $"no constant is known for the activation '{name}'");

    public int OutputColumns(int columns) => checked(Name == "CLipSwish" ? 2 * columns : columns);
}
