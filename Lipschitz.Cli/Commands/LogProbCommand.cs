using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz logprob RUN INPUT -o OUT</c>.</summary>
internal static class LogProbCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        var input = new Argument<string>("INPUT") { Description = "A .csv or .npy file of points, one a row" };
        Option<string> output = Arguments.Output("A .csv or .npy file: the log-density of each point in nats, one a row");
        Option<int?> repeats = Arguments.Repeats();
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "logprob",
            "Compute the log-density of points, in nats.",
            "lipschitz logprob runs/moons-quick points.csv -o logprob.csv",
            "lipschitz logprob runs/moons-quick points.npy -o logprob.npy") { run, input, output, repeats, compute };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            string path = parse.GetRequiredValue(output);
            PointFiles.CheckWritable(path, width: null);
            using IBackend backend = compute.Open(parse);
            Flow flow = directory.LoadFlow(backend);
            string source = parse.GetRequiredValue(input);
            Points points = PointFiles.Read(source, flow.Width);
            LogProbResult result = flow.LogProb(
                points.Values,
                EstimatorFactory.Create(directory.Configuration.Evaluation.LogDet),
                repeats: parse.GetValue(repeats) ?? 1,
                allowNonFinite: true);
            int[] far = FarPoints.Settle(result.Values, points, source, directory.LoadFlow, directory.Configuration);
            PointFiles.Write(path, new Points(result.Values, 1), ["log_density"]);
            double mean = result.Values.Where(double.IsFinite).DefaultIfEmpty(double.NegativeInfinity).Average();
            if (far.Length > 0)
            {
                shell.Note(
                    $"{far.Length} of {points.Count} points lie so far out that their log-density is below what float32 holds and is written as -Infinity,"
                    + $" and left out of the mean; the first is {points.Place(far[0])} of {source}");
            }

            double? bits = directory.Configuration.Model.Image is null ? null : BitsPerDim.FromNats(-mean, flow.Width);
            shell.Report(
                parse,
                new
                {
                    run = directory.Path,
                    points = points.Count,
                    belowRange = far.Length,
                    meanLogDensity = mean,
                    meanBitsPerDim = bits,
                    leastLogDensity = result.Values.Min(),
                    logDet = result.Kind,
                    meanStandardError = result.StandardErrors?.Average(),
                    file = path,
                },
                console => console.Profile.Out.Writer.WriteLine(
                    $"{points.Count} values written to {path}: mean {mean:0.0000} nats{(bits is { } b ? $" ({b:0.0000} bits per dimension)" : "")}, least {result.Values.Min():0.0000}"
                    + $" (log-determinant: {result.Kind.ToString().ToLowerInvariant()})"));
            return ExitCode.Success;
        });
        return command;
    }
}
