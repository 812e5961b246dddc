using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Falsification;

namespace Lipschitz.Verification.Tests.Certificates;

public sealed class FalsifierTests
{
    private static readonly FalsificationOptions s_small = new(400, 3);
    private readonly IBackend _backend = ReferenceBackend.Create(Precision.Float64);

    [Theory]
    [InlineData(2, 2)]
    [InlineData(5, 9)]
    [InlineData(9, 4)]
    public void The_norm_of_a_linear_map_is_found(int inputs, int outputs)
    {
        var linear = new Linear(_backend, "a", inputs, outputs, Normalisation.None, new RandomKey(1, RandomPurpose.Initialisation));
        LowerBound found = Falsifier.Search(linear, _backend, s_small);
        var weights = new double[inputs * outputs];
        _backend.Download(linear.EffectiveWeights[0].Value, weights);
        double norm = SpectralNormBound.Prove(weights, outputs, inputs).Bound;
        Assert.InRange(found.Value, norm * (1 - 1e-6), norm * (1 + Falsifier.Tolerance));
    }

    // Far out the rounding of a quotient of two near points is larger than the tolerance.
    [Fact]
    public void No_seed_finds_more_than_the_norm_of_a_linear_map()
    {
        var linear = new Linear(_backend, "a", 3, 3, Normalisation.None, new RandomKey(4, RandomPurpose.Initialisation));
        var weights = new double[9];
        _backend.Download(linear.EffectiveWeight, weights);
        double norm = SpectralNormBound.Prove(weights, 3, 3).Bound;
        Assert.All(Enumerable.Range(0, 8), seed => Assert.InRange(
            Falsifier.Search(linear, _backend, new(4000, (ulong)seed)).Value, norm * (1 - 1e-6), norm * (1 + Falsifier.Tolerance)));
    }

    [Theory]
    [InlineData(Activation.LipSwish, 0.99985392)]
    [InlineData(Activation.CLipSwish, 0.99996508)]
    [InlineData(Activation.Tanh, 1)]
    [InlineData(Activation.MaxMin, 1)]
    public void The_constant_of_an_activation_is_found(Activation f, double constant)
    {
        var layer = new ActivationLayer(_backend, "a", f, 4);
        LowerBound found = Falsifier.Search(layer, _backend, s_small);
        Assert.InRange(found.Value, constant - 1e-4, constant + 1e-7);
        Assert.Equal(4, found.Point.Length);
    }

    [Fact]
    public void The_same_seed_finds_the_same()
    {
        LowerBound Search(ulong seed)
        {
            var net = new DenseNet(
                _backend, "g", 3, 2, 5, Activation.CLipSwish, true, 0.98, Normalisation.Spectral(0.98), new RandomKey(7, RandomPurpose.Initialisation));
            return Falsifier.Search(net, _backend, s_small with { Seed = seed });
        }

        Assert.Equal(Search(1).Value, Search(1).Value);
        Assert.Equal(Search(1).Point, Search(1).Point);
        Assert.NotEqual(Search(1).Point, Search(2).Point);
    }
}
