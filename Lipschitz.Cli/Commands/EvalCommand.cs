using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz eval RUN</c>.</summary>
internal static class EvalCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        Option<int?> repeats = Arguments.Repeats();
        Option<bool> best = Arguments.Best();
        Option<int?> points = Arguments.Whole("--points", 2, "Points of the test set (default: as in the run's configuration)");
        Option<string?> path = Arguments.MovedData();
        Option<ulong?> seed = Arguments.Seed("Seed of a random log-determinant (default: 2, as at the end of training); the test set stays the same");
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "eval",
            "Test a trained flow: negative log-likelihood on the fixed test set (pictures: bits per dimension; with a task: accuracy), with standard errors.",
            "lipschitz eval runs/moons-quick",
            "lipschitz eval runs/mnist-quick --best --repeats 5",
            "lipschitz eval runs/moons-quick --points 100000 --json") { run, best, repeats, seed, points, path, compute };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            Configuration configuration = DataSources.At(directory.Configuration, parse.GetValue(path));
            IPointSource data = DataSources.OfRun(directory, parse.GetValue(path));
            using IBackend backend = compute.Open(parse);
            Flow flow = Runs.Load(directory, parse.GetValue(best), backend);
            EvaluationSettings evaluation = configuration.Evaluation;
            evaluation = evaluation with { Points = parse.GetValue(points) ?? evaluation.Points };
            configuration = configuration with { Evaluation = evaluation };
            DataSources.CheckTestPoints(configuration, data, "--points");
            TestReport test = Test(flow, configuration, data, parse.GetValue(repeats) ?? 1, parse.GetValue(seed));
            shell.Report(
                parse,
                new
                {
                    run = directory.Path,
                    data = configuration.Data,
                    model = configuration.Name,
                    negativeLogLikelihood = TestText.Finite(test.NegativeLogLikelihood),
                    standardError = TestText.Finite(test.StandardError),
                    repeatStandardError = test.RepeatError,
                    bitsPerDim = test.Bits?.Value,
                    bitsPerDimStandardError = test.Bits?.StandardError,
                    accuracy = test.Classes?.Accuracy,
                    accuracyStandardError = test.Classes?.AccuracyError,
                    crossEntropy = test.Classes?.CrossEntropy,
                    points = test.Points,
                    logDet = test.Kind,
                    entropy = data.Entropy,
                    difference = test.NegativeLogLikelihood - data.Entropy,
                },
                console => TestText.Write(console, test, data.Entropy));
            return ExitCode.Success;
        });
        return command;
    }

    private static TestReport Test(Flow flow, Configuration configuration, IPointSource data, int repeats, ulong? seed)
    {
        try
        {
            return FlowTest.Run(flow, configuration, data, repeats: repeats, seed: seed);
        }
        catch (NonFiniteException fault) when (fault.Row is { } row && data is ArrayPoints)
        {
            throw new NonFiniteException($"{fault.Message}: number {ArrayPoints.HeldOutRow(row) + 1} of the points in {configuration.Data}");
        }
    }
}
