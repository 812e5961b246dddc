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
    private static readonly string[] s_columns = ["log_density", "standard_error"];

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        var input = new Argument<string>("INPUT") { Description = "A .csv or .npy file of points, one a row; of pictures, numbers from 0 to 1, channels last" };
        Option<string> output = Arguments.Output("A .csv or .npy file: a row for each point, its log-density in nats and with --repeats the standard error");
        Option<int?> repeats = Arguments.Repeats();
        Option<ulong?> seed = Arguments.Seed("Seed of a random log-determinant (default: 0)");
        Option<bool> best = Arguments.Best();
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "logprob",
            "Compute the log-density of points, in nats.",
            "lipschitz logprob runs/moons-quick points.csv -o logprob.csv",
            "lipschitz logprob runs/moons-quick points.npy -o logprob.npy") { run, input, output, repeats, seed, best, compute };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            string path = parse.GetRequiredValue(output);
            PointFiles.CheckWritable(path, width: null);
            string source = parse.GetRequiredValue(input);
            PointFiles.CheckKept(path, source, directory.Configuration.Data);
            using IBackend backend = compute.Open(parse);
            Flow flow = Load(backend);
            Points points = PointFiles.ReadFor(directory.Configuration, flow.Width, source);
            LogProbResult result = flow.LogProb(
                points.Values,
                EstimatorFactory.Create(directory.Configuration.Evaluation.LogDet),
                parse.GetValue(seed) ?? 0,
                parse.GetValue(repeats) ?? 1,
                allowNonFinite: true);
            int[] far = FarPoints.Settle(result.Values, points, source, Load, directory.Configuration);
            Write(path, result);
            if (result.StandardErrors is null && directory.Configuration.Evaluation.LogDet.Method is LogDetMethod.Roulette or LogDetMethod.Truncated)
            {
                shell.Note("the log-determinant is random, and drawn once each value is of unknown error; --repeats 4 writes means and their standard errors");
            }

            double mean = result.Values.Where(double.IsFinite).DefaultIfEmpty(double.NegativeInfinity).Average();
            if (far.Length > 0)
            {
                shell.Note(
                    $"{far.Length} of {points.Count} points lie so far out that their log-density is below what float32 holds and is written as -Infinity,"
                    + $" and left out of the mean; the first is {points.Place(far[0])} of {source}");
            }

            double? error = result.StandardErrors?.Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
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
                    meanStandardError = error,
                    file = path,
                },
                console => console.Profile.Out.Writer.WriteLine(
                    $"{points.Count} values written to {path}: mean {mean:0.0000} nats{(bits is { } b ? $" ({b:0.0000} bits per dimension)" : "")}, least {result.Values.Min():0.0000}"
                    + (error is { } e ? $", standard error {e:0.0000} on average" : "")
                    + $" (log-determinant: {result.Kind.ToString().ToLowerInvariant()})"));
            return ExitCode.Success;

            Flow Load(IBackend on) => Runs.Load(directory, parse.GetValue(best), on);
        });
        return command;
    }

    private static void Write(string path, LogProbResult result)
    {
        if (result.StandardErrors is { } errors)
        {
            double[] both = [.. result.Values.Zip(errors, (value, error) => new[] { value, error }).SelectMany(pair => pair)];
            PointFiles.Write(path, new Points(both, 2), s_columns);
        }
        else
        {
            PointFiles.Write(path, new Points(result.Values, 1), s_columns[..1]);
        }
    }
}
