namespace Lipschitz.Backends;

/// <summary>The nonlinearities, by the name the papers give them; n is the number of input columns.</summary>
/// <remarks>Parameters are raw (unconstrained) numbers in a [1, count] tensor: see <see cref="Activations.ParameterCount"/>.</remarks>
public enum Activation
{
    /// <summary><c>y = x</c>.</summary>
    Identity,

    /// <summary><c>y = max(x, 0)</c>.</summary>
    ReLU,

    /// <summary><c>y = x</c> for x &gt; 0, else <c>exp(x) - 1</c>.</summary>
    Elu,

    /// <summary><c>y = tanh(x)</c>.</summary>
    Tanh,

    /// <summary><c>y = log(1 + exp(x))</c>.</summary>
    Softplus,

    /// <summary><c>y = x sigmoid(s x) / 1.1</c>, <c>s = softplus(beta)</c>; parameters (beta). Chen et al. 2019, section 3.3.</summary>
    LipSwish,

    /// <summary>Columns [LipSwish(x), LipSwish(-x)] / 1.004, 2n wide; parameters (beta). Perugachi-Diaz et al. 2021.</summary>
    CLipSwish,

    /// <summary><c>y = a x + (1 - a) LipSwish(x)</c>, <c>a = sigmoid(alpha)</c>; parameters (alpha, beta).</summary>
    LeakyLSwish,

    /// <summary><c>y = x^3/3</c> for |x| &lt; 1, else <c>x - sign(x) 2/3</c>.</summary>
    LipschitzCube,

    /// <summary>Pairs (x_2i, x_2i+1): column i is their maximum, column n/2 + i their minimum; n even. Anil et al. 2019.</summary>
    MaxMin,
}
