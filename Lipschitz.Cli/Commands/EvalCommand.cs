using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Randomness;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz eval RUN</c>.</summary>
internal static class EvalCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        Option<int?> repeats = Arguments.Repeats();
        Option<int?> points = Arguments.Whole("--points", 2, "Points of the test set (default: as in the run's configuration)");
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "eval",
            "Test a trained flow: negative log-likelihood on the fixed test set, with its standard error.",
            "lipschitz eval runs/moons-quick",
            "lipschitz eval runs/moons-quick --points 100000 --json") { run, repeats, points, threads };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            Configuration configuration = directory.Configuration;
            IPointSource data = DataSources.Open(configuration.Data);
            using IBackend backend = BackendChoice.Open(parse.GetValue(threads));
            Flow flow = directory.LoadFlow(backend);
            int count = parse.GetValue(points) ?? configuration.Evaluation.Points;
            var test = new double[count * data.Width];
            data.Sample(new RandomKey(configuration.Seed, RandomPurpose.TestData), 0, test);
            LogProbResult result = flow.LogProb(
                test, EstimatorFactory.Create(configuration.Evaluation.LogDet), repeats: parse.GetValue(repeats) ?? 1);
            double mean = -result.Values.Average();
            double standardError = Math.Sqrt(result.Values.Sum(v => (v + mean) * (v + mean)) / (count - 1) / count);
            shell.Report(
                parse,
                new
                {
                    run = directory.Path,
                    data = configuration.Data,
                    model = configuration.Name,
                    points = count,
                    negativeLogLikelihood = mean,
                    standardError,
                    logDet = result.Kind,
                    entropy = data.Entropy,
                    difference = mean - data.Entropy,
                },
                console => TestText.Write(console, mean, standardError, count, result.Kind, data.Entropy));
            return ExitCode.Success;
        });
        return command;
    }
}
