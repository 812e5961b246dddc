using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz sample RUN -n N -o FILE</c>.</summary>
internal static class SampleCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        Option<int?> count = Arguments.Whole("-n", 1, "How many points to draw (default: 10000)", "--count");
        Option<string> output = Arguments.Output("A .csv, .npy or .png file");
        Option<ulong?> seed = Arguments.Seed("Seed of the draws (default: 0); the same seed draws the same points");
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "sample",
            "Draw points from a trained flow.",
            "lipschitz sample runs/moons-quick -n 10000 -o samples.csv",
            "lipschitz sample runs/moons-quick -n 10000 -o samples.png --seed 7") { run, count, output, seed, threads };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            string path = parse.GetRequiredValue(output);
            using IBackend backend = BackendChoice.Open(parse.GetValue(threads));
            Flow flow = directory.LoadFlow(backend);
            PointFiles.CheckWritable(path, flow.Width);
            int n = parse.GetValue(count) ?? 10_000;
            var points = new Points(flow.Sample(n, parse.GetValue(seed) ?? 0), flow.Width);
            PointFiles.Write(path, points, PointFiles.CoordinateNames(flow.Width));
            shell.Report(
                parse,
                new { run = directory.Path, points = n, width = flow.Width, seed = parse.GetValue(seed) ?? 0, file = path },
                console => console.Profile.Out.Writer.WriteLine($"{n} points written to {path}"));
            return ExitCode.Success;
        });
        return command;
    }
}
