using System.Diagnostics;
using Lipschitz.Verification.Convolutions;
using Lipschitz.Verification.Dense;

namespace Lipschitz.Verification.Tests;

/// <summary>The two largest layers that must be provable; minutes of work, so only with LIPSCHITZ_SLOW_TESTS=1.</summary>
public class SpeedTests(ITestOutputHelper output)
{
    private static void SkipUnlessAsked() =>
        Assert.SkipUnless(Environment.GetEnvironmentVariable("LIPSCHITZ_SLOW_TESTS") == "1", "LIPSCHITZ_SLOW_TESTS is not 1.");

    [Theory]
    [InlineData(512)]
    [InlineData(3072)]
    public void A_dense_layer_is_proven_in_30_seconds(int n)
    {
        SkipUnlessAsked();
        var random = new Random(1);
        var w = new float[n * n];
        for (int i = 0; i < w.Length; i++)
        {
            w[i] = (float)(random.NextDouble() - 0.5);
        }

        var clock = Stopwatch.StartNew();
        SpectralNormProof proof = SpectralNormBound.Prove(w, n, n);
        output.WriteLine($"{n}: {clock.Elapsed.TotalSeconds:F2} s, bound/estimate - 1 = {(proof.Bound / proof.Estimate) - 1:E2}, {proof}");
        Assert.True(clock.Elapsed.TotalSeconds < 30);
    }

    [Fact]
    public void A_convolution_from_375_to_124_channels_is_proven_in_20_seconds()
    {
        SkipUnlessAsked();
        var random = new Random(1);
        var w = new float[124 * 9 * 375];
        for (int i = 0; i < w.Length; i++)
        {
            w[i] = (float)(random.NextDouble() - 0.5);
        }

        var clock = Stopwatch.StartNew();
        ConvolutionProof proof = ConvolutionNormBound.Prove(ConvolutionKernel.FromSingle(w, 124, 3, 3, 375), 32, 32);
        output.WriteLine($"{clock.Elapsed.TotalSeconds:F2} s, {proof}");
        Assert.True(clock.Elapsed.TotalSeconds < 20);
    }
}
