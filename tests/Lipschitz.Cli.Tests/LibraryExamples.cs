using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Training;
using Lipschitz.Verification.Branches;

namespace Lipschitz.Cli.Tests;

/// <summary>The examples of docs/library.md, line by line: compiled here, run, and compared with the page's text.</summary>
public sealed class LibraryExamples : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lipschitz-examples").FullName;

    public void Dispose()
    {
        _output.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_page_shows_these_lines(int example) => Documentation.AssertShown("docs/library.md", example);

    [Fact]
    public void Points_are_scored_and_the_model_is_kept()
    {
        const int Rows = 2000, Outlier = 1239; // one of those held out
        var drawn = new double[2 * Rows];
        new Moons().Sample(new RandomKey(1, RandomPurpose.Test), 0, drawn);
        var table = new double[Rows, 2];
        Buffer.BlockCopy(drawn, 0, table, 0, drawn.Length * sizeof(double));
        (table[Outlier, 0], table[Outlier, 1]) = (7, -8);
        string folder = Path.Combine(_folder, "run");
        double[] points = Score(table, folder, _output);
        Assert.Matches($@"^\d+\.\d{{3}} nats on the rows held out\s+row {Outlier} is the least likely\s+$", _output.ToString());
        Use(folder, points, _output);
        Assert.Matches(@"Exact log-density, mean -\d+\.\d\d; back within \d\.\dE-00[4-7] a block\s+$", _output.ToString());
    }

    [Fact]
    public void A_network_is_evaluated_and_its_bound_proven()
    {
        double[] values = Network([0, 0, 3, 4], rows: 2, _output);
        double bound = double.Parse(_output.ToString().Split(' ', ',')[2]);
        Assert.InRange(bound, 0.2, 0.8101); // at most the product of the targets
        Assert.InRange(Math.Abs(values[1] - values[0]), 1e-3, 5 * bound);
    }

#pragma warning disable IDE0055, IDE0007, IDE0008 // as on the page
    private static double[] Score(double[,] table, string folder, StringWriter output)
    {
        double[] points = table.Cast<double>().ToArray(); // double[,] table, row by row
        using var backend = CpuBackend.Create();
        var configuration = Presets.Load("quick") with { Name = "sensor", Data = "sensor.csv", Seed = 1 };
        var trainer = new Trainer(configuration, backend, new ArrayPoints(points, width: table.GetLength(1)));
        for (int step = 0; step < 300; step++) trainer.Step();
        output.WriteLine($"{trainer.Test().NegativeLogLikelihood:F3} nats on the rows held out");
        double[] logDensity = trainer.InferenceFlow().LogProb(points, new ExactDeterminant()).Values; // in nats; the lowest are the anomalies
        output.WriteLine($"row {Array.IndexOf(logDensity, logDensity.Min())} is the least likely");
        RunDirectory.Create(folder, configuration).SaveModel(trainer); // `lipschitz sample`, `logprob`, `verify` .. take it, too; `eval` with --data FILE
        return points;
    }

    private static void Use(string folder, double[] points, StringWriter output)
    {
        using var backend = CpuBackend.Create();
        RunDirectory run = RunDirectory.Open(folder); // of this library or of `lipschitz train`
        Flow flow = run.LoadFlow(backend);
        LogProbResult score = flow.LogProb(points, EstimatorFactory.Create(run.Configuration.Evaluation.LogDet), repeats: 4);
        double[] samples = flow.Sample(100, seed: 1);
        double[] latents = flow.Forward(samples);
        InverseReport back = flow.Inverse(latents, tolerance: 1e-5); // points, and for each an error bound and what it took
        output.WriteLine($"{score.Kind} log-density, mean {score.Values.Average():F2}; back within {back.BlockErrorBounds.Max():E1} a block");
    }

    private static double[] Network(double[] points, int rows, StringWriter output)
    {
        using var backend = CpuBackend.Create();
        var key = new RandomKey(7, RandomPurpose.Initialisation);
        var network = new Sequential(
            new Linear(backend, "first", 2, 64, Normalisation.Spectral(0.9), key with { Step = 0 }, scale: 4),
            new ActivationLayer(backend, "first", Activation.LipSwish, 64),
            new Linear(backend, "second", 64, 1, Normalisation.Spectral(0.9), key with { Step = 1 }, scale: 4));
        network.UpdateNorms(iterations: 100, tolerance: 0);
        network.Prepare();
        Tensor x = backend.Allocate(rows, 2), y = backend.Allocate(rows, 1);
        backend.Upload(points, x);
        network.Forward(x, y, new Workspace(backend));
        var values = new double[rows];
        backend.Download(y, values);
        output.WriteLine($"Lip <= {BranchBound.Prove(network).Bound:F4}, target {0.9 * 0.9:F2}");
        return values;
    }
#pragma warning restore IDE0055, IDE0007, IDE0008
}
