using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Layers;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Falsification;

namespace Lipschitz.Cli.Tests;

/// <summary>The example of docs/verification.md, line by line: compiled here, run, and compared with the page's text.</summary>
public class VerificationExample
{
    [Fact]
    public void The_example_certifies_a_network_that_is_no_flow()
    {
        var output = new StringWriter();
        Run(output);
        double[] numbers = [.. output.ToString().Split(' ', ',').Select(word => double.TryParse(word, out double x) ? x : double.NaN).Where(x => x > 0)];
        Assert.Equal(3, numbers.Length);
        Assert.True(numbers[0] <= numbers[1] && numbers[1] <= numbers[2], output.ToString());
        Assert.True(numbers[0] > 0.2 * numbers[1], output.ToString());
    }

    [Fact]
    public void The_page_shows_these_lines() => Documentation.AssertShown("docs/verification.md");

    private static void Run(StringWriter output)
    {
        using var backend = CpuBackend.Create(Precision.Float32);
        var key = new RandomKey(7, RandomPurpose.Initialisation);
        var critic = new Sequential(
            new Linear(backend, "first", 8, 64, Normalisation.Spectral(1), key with { Step = 0 }),
            new ActivationLayer(backend, "first", Activation.ReLU, 64),
            new Linear(backend, "second", 64, 64, Normalisation.Spectral(1), key with { Step = 1 }),
            new ActivationLayer(backend, "second", Activation.ReLU, 64),
            new Linear(backend, "third", 64, 1, Normalisation.None, key with { Step = 2 }));
        BranchProof proof = BranchBound.Prove(critic);
        LowerBound found = Falsifier.Search(critic, backend, new FalsificationOptions(Points: 2000));
        output.WriteLine($"{found.Value:F4} <= Lip <= {proof.Bound:F4}, the product of the layers is {proof.Product:F4}");
    }
}
