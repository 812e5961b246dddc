using Lipschitz.Cpu;
using Lipschitz.Data;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Cli.Tests;

/// <summary>The README's C# example, line by line: compiled here, run, and compared with the README's text.</summary>
public class ReadmeExample
{
    [Fact]
    public void The_example_runs_and_finds_the_outlier()
    {
        var output = new StringWriter();
        Run(output);
        string[] parts = output.ToString().Split(' ');
        Assert.True(double.Parse(parts[0]) > double.Parse(parts[2]) + 3, output.ToString());
    }

    [Fact]
    public void The_README_shows_these_lines() => Documentation.AssertShown("README.md");

#pragma warning disable IDE0055 // as in the README
    private static void Run(StringWriter output)
    {
        using var backend = CpuBackend.Create();
        var trainer = new Trainer(Presets.Load("quick"), backend, ToyDensities.Find("moons"));
        for (int step = 0; step < 200; step++) trainer.Step();
        var flow = trainer.InferenceFlow();
        var logProb = flow.LogProb([0.5, 0.2, 9.0, 9.0], new ExactDeterminant()).Values; // two points; the second is an outlier
        var samples = flow.Sample(1000, seed: 1);                                        // 1000 points, x and y in turn
        var inverse = flow.Inverse(flow.Forward(samples));
        output.WriteLine($"{logProb[0]:F2} > {logProb[1]:F2} nats; round trip within {inverse.BlockErrorBounds.Max():E1} a block");
    }
#pragma warning restore IDE0055
}
