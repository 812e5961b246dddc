using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>
/// A classifier on what a flow computes on its way (Chen et al. 2019, section 5.3): at each scale a 3 x 3 convolution, ActNorm, ReLU and the
/// average over pixels; these features side by side, and a linear layer to one logit a class. Nothing here is held to a Lipschitz constant.
/// </summary>
public sealed class ClassificationHead
{
    private readonly IBackend _backend;
    private readonly Linear _classifier;
    private readonly ILayer[] _layers;

    /// <summary>Joins the scales.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="scales">In the order of their bijections.</param>
    /// <param name="classifier">From the features of all scales to the logits.</param>
    /// <exception cref="ShapeMismatchException">The classifier takes another number of features, or the scales are out of order.</exception>
    public ClassificationHead(IBackend backend, IReadOnlyList<HeadScale> scales, Linear classifier)
    {
        if (scales.Sum(scale => scale.Features.OutputWidth) != classifier.InputWidth)
        {
            throw new ShapeMismatchException(
                $"A classifier of {classifier.InputWidth} features on scales that give {scales.Sum(scale => scale.Features.OutputWidth)}.");
        }

        if (scales.Zip(scales.Skip(1)).Any(pair => pair.First.Bijection > pair.Second.Bijection))
        {
            throw new ShapeMismatchException("The scales of a classification head go in the order of their bijections.");
        }

        (_backend, Scales, _classifier) = (backend, scales, classifier);
        Layers = _layers = [.. scales.Select(scale => scale.Features), classifier];
        Parameters = [.. Layers.SelectMany(layer => layer.Parameters)];
    }

    /// <summary>The scales, nearest to the data first.</summary>
    public IReadOnlyList<HeadScale> Scales { get; }

    /// <summary>The features of each scale, then the classifier.</summary>
    public IReadOnlyList<ILayer> Layers { get; }

    /// <summary>The number of classes.</summary>
    public int Classes => _classifier.OutputWidth;

    /// <summary>Trained parameters and saved state, in order.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Makes effective weights from parameters.</summary>
    internal void Prepare()
    {
        foreach (ILayer layer in _layers)
        {
            layer.Prepare();
        }
    }

    /// <summary>Turns a flat gradient with respect to effective weights into one with respect to parameters, in place.</summary>
    internal void PullBack(Tensor gradient)
    {
        foreach (ILayer layer in _layers)
        {
            layer.PullBack(gradient);
        }
    }

    /// <summary>Sets the ActNorms of the scales behind one bijection from the first batch; x [B, Width] is that bijection's output.</summary>
    public void Initialise(int bijection, Tensor x)
    {
        foreach (HeadScale scale in Scales.Where(scale => scale.Bijection == bijection))
        {
            scale.Initialise(_backend, x);
        }
    }

    /// <summary>A record of evaluations of one shard.</summary>
    public HeadPass CreatePass() => new(this, _backend);
}

/// <summary>The features that a <see cref="ClassificationHead"/> takes from one scale of a flow.</summary>
public sealed class HeadScale
{
    private readonly Convolution _convolution;
    private readonly ActNormLayer _norm;

    /// <summary>Makes the layers.</summary>
    /// <param name="backend">Where the numbers live.</param>
    /// <param name="name">Prefix of the parameters' names.</param>
    /// <param name="bijection">The position in the flow of the bijection whose output is taken.</param>
    /// <param name="shape">The shape of that output.</param>
    /// <param name="features">Channels of the convolution.</param>
    /// <param name="key">The address of the initial numbers.</param>
    public HeadScale(IBackend backend, string name, int bijection, ImageShape shape, int features, Randomness.RandomKey key)
    {
        Bijection = bijection;
        _convolution = new Convolution(backend, $"{name}.convolution", shape, features, kernel: 3, Normalisation.None, key);
        _norm = new ActNormLayer(backend, $"{name}.norm", shape.Pixels, features);
        Features = new Sequential(
            _convolution, _norm, new ActivationLayer(backend, $"{name}.activation", Activation.ReLU, features, shape.Pixels),
            new AveragePool(backend, shape.Pixels, features));
    }

    /// <summary>The position in the flow of the bijection whose output is taken.</summary>
    public int Bijection { get; }

    /// <summary>From that output to features.</summary>
    public ILayer Features { get; }

    internal void Initialise(IBackend backend, Tensor x)
    {
        Tensor y = backend.Allocate(x.Rows, _convolution.OutputWidth);
        _convolution.Forward(x, y, new Workspace(backend));
        _norm.Initialise(y);
    }
}
