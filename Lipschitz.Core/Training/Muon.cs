using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>
/// Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): momentum M &lt;- mu M + G, and a step along the orthogonal
/// factor of G + mu M, so that it moves all singular values of a weight alike.
/// </summary>
/// <remarks>
/// <para>
/// It trains weights that are held to a norm, whatever the size of their gradient. Of a matrix, a step has spectral norm about <c>rate</c>, the very norm that
/// it is held to; so rates are not scaled by shapes. (A convolution is held to that of the operator on pictures, up to the root of its taps
/// times greater.) Weights grow meanwhile, since nothing but their direction counts once their norm exceeds the coefficient, and so the angle that a
/// step turns them by shrinks of its own. Weights that are not held to a norm, those of a classification head, are Adam's.
/// </para>
/// <para>
/// The factor is found by Newton-Schulz iterations, products alone, which take singular values from 0.002 of the Frobenius norm on
/// to between 0.68 and 1.21. The weight [outputs taps, inputs] of a convolution counts as the matrix [outputs, taps inputs].
/// </para>
/// </remarks>
internal sealed class Muon
{
    private const int Iterations = 5;

    // The odd polynomial a s + b s^3 + c s^5 of Jordan et al., steepest at 0 of those whose iterates stay near 1.
    private const double A = 3.4445, B = -4.7750, C = 2.0315;

    // Below this norm a gradient is too small to have a direction and makes a smaller step.
    private const double SmallestNorm = 1e-12;
    private readonly IBackend _backend;
    private readonly Parameter[] _weights;
    private readonly Tensor _gradient;
    private readonly double _momentum;
    private readonly Action _orthogonalise;

    /// <summary>Momentum 0 for all weights of a flow that are held to a norm.</summary>
    /// <param name="flow">Whose weights are trained.</param>
    /// <param name="gradient">Where each step finds the gradient, flat; 0 afterwards.</param>
    /// <param name="momentum">mu.</param>
    /// <param name="forEach">Makes a repeatable action that does something for each of a number of indices, in parallel.</param>
    public Muon(Flow flow, Tensor gradient, double momentum, Func<int, Action<int>, Action> forEach)
    {
        (_backend, _gradient, _momentum) = (flow.Backend, gradient, momentum);
        _weights = [.. flow.Trained.Parameters.Where(parameter => parameter.IsNormalised)];
        Momentum = _backend.Allocate(1, gradient.Columns);
        _orthogonalise = forEach(_weights.Length, i => Orthogonalise(_weights[i]));

        // Of zeros, which stay zeros: what memory it takes is there before the first step, which then cannot fail half-way for want of it.
        _backend.Fill(gradient, 0);
        _orthogonalise();
    }

    /// <summary>M of all weights in the places of the gradient; 0 elsewhere.</summary>
    public Tensor Momentum { get; }

    /// <summary>Moves the weights by -rate times the orthogonal factor and sets their gradient to 0, so that Adam leaves them where they are.</summary>
    /// <param name="rate">The size of the step.</param>
    /// <param name="factor">What clipping scales gradients by, so that one far too large does not rule the momentum for long; at most 1.</param>
    public void Step(double rate, double factor)
    {
        if (factor < 1)
        {
            foreach (Parameter weight in _weights)
            {
                Tensor gradient = weight.In(_gradient);
                _backend.Axpby(0, gradient, factor, gradient);
            }
        }

        _orthogonalise();
        foreach (Parameter weight in _weights)
        {
            _backend.Axpby(-rate, weight.In(_gradient), 1, weight.Value);
            _backend.Fill(weight.In(_gradient), 0);
        }
    }

    /// <summary>x &lt;- about U V' of its singular value decomposition U S V'.</summary>
    internal static void Orthogonalise(IBackend backend, Tensor x)
    {
        bool isTall = x.Rows > x.Columns;
        int side = Math.Min(x.Rows, x.Columns);
        Workspace workspace = ThreadWorkspace.For(backend);
        WorkspaceMark mark = workspace.Mark();
        Tensor gram = workspace.Rent(side, side), polynomial = workspace.Rent(side, side), product = workspace.Rent(x.Rows, x.Columns);
        Tensor norm = workspace.Rent(1, 1), ones = workspace.Rent(1, x.Columns);

        // x <- x min(1/smallest, 1/|x|), on the device.
        backend.Norm(x.Reshape(1, x.Count), norm);
        backend.Fill(ones, 1);
        backend.NormaliseWeight(x, norm, SmallestNorm, ones, product);
        backend.Axpby(1 / SmallestNorm, product, 0, x);
        for (int i = 0; i < Iterations; i++)
        {
            // x <- (A + B G + C G^2) x with G = x x', or x (A + B G + C G^2) with G = x'x, whichever is the smaller.
            backend.Multiply(x, isTall, x, !isTall, 0, gram);
            backend.Multiply(gram, false, gram, false, 0, polynomial);
            backend.Axpby(B, gram, C, polynomial);
            backend.Multiply(isTall ? x : polynomial, false, isTall ? polynomial : x, false, 0, product);
            backend.Axpby(1, product, A, x);
        }

        workspace.Release(mark);
    }

    // In the place of the gradient: its momentum's orthogonal factor.
    private void Orthogonalise(Parameter weight)
    {
        Tensor gradient = weight.In(_gradient), momentum = weight.In(Momentum);
        _backend.Axpby(1, gradient, _momentum, momentum);
        _backend.Axpby(_momentum, momentum, 1, gradient);
        Orthogonalise(_backend, gradient.Reshape(weight.Value.Rows / weight.Taps, weight.Taps * weight.Value.Columns));
    }
}
