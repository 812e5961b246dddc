using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;
using Lipschitz.Tensors;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz sample RUN -n N -o FILE</c>.</summary>
internal static class SampleCommand
{
    private const int DefaultPoints = 10_000;
    private const int DefaultPictures = 64;
    private const int Drawable = 2; // columns of what a .png file can show

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        Option<int?> count = Arguments.Whole("-n", 1, $"How many to draw (default: {DefaultPoints} points, {DefaultPictures} pictures)", "--count", "--n");
        Option<string> output = Arguments.Output("A .csv, .npy or .png file");
        Option<ulong?> seed = Arguments.Seed("Seed of the draws (default: 0); the same seed draws the same points");
        Option<double?> tolerance = Arguments.Positive(
            "--tolerance", "The error bound of each block at which its inverse is done, or where rounding allows no less (default: 1e-5, for pictures 1e-2)");
        Option<bool> best = Arguments.Best();
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "sample",
            "Draw points or pictures from a trained flow.",
            "lipschitz sample runs/moons-quick -n 10000 -o samples.csv",
            "lipschitz sample runs/moons-quick -n 10000 -o samples.png --seed 7",
            "lipschitz sample runs/mnist-quick -n 64 -o grid.png") { run, count, output, seed, tolerance, best, compute };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            string path = parse.GetRequiredValue(output);
            ImageShape? shape = directory.Configuration.Model.Image?.Shape;
            using IBackend backend = compute.Open(parse);
            Flow flow = Runs.LoadInvertible(directory, parse.GetValue(best), backend);
            PointFiles.CheckWritable(path, shape is null ? flow.Width : Drawable);
            PointFiles.CheckKept(path, directory.Configuration.Data);
            int n = parse.GetValue(count) ?? (shape is null ? DefaultPoints : DefaultPictures);
            if (PointFiles.Extension(path) == ".png" && !Fits(n, flow.Width, shape))
            {
                throw new UsageException($"{n} are too many for one picture; write a .csv or .npy file instead of '{path}'");
            }

            ulong start = parse.GetValue(seed) ?? 0;
            var samples = new SampleParts(flow, n, start, parse.GetValue(tolerance) ?? (shape is null ? 1e-5 : 1e-2));
            shell.Stop.Listen(stop => Write(path, samples.Draw(stop), n, flow.Width, shape));
            double bound = samples.LargestBlockErrorBound, iterations = samples.MeanIterations;
            shell.Report(
                parse,
                new
                {
                    run = directory.Path,
                    points = n,
                    width = flow.Width,
                    seed = start,
                    meanIterations = iterations,
                    largestBlockErrorBound = bound,
                    largestErrorBound = samples.LargestErrorBound,
                    file = path,
                },
                console => console.Profile.Out.Writer.WriteLine(
                    $"{n} {(shape is null ? "points" : "pictures")} written to {path}"
                    + $" (each block's inverse within {bound:0.0e+0}, {iterations:0} iterations in all blocks)"));
            return ExitCode.Success;
        });
        return command;
    }

    private static bool Fits(int count, int width, ImageShape? shape) => (long)count * width <= Array.MaxLength
        && (shape is not { } pictures || PictureGrid.Fits(count, pictures, Columns(count, pictures)));

    private static int Columns(int count, ImageShape shape) => PictureGrid.Columns(shape, (int)Math.Ceiling(Math.Sqrt(count)));

    private static void Write(string path, IEnumerable<double[]> parts, int count, int width, ImageShape? shape)
    {
        if (shape is { } pictures && PointFiles.Extension(path) == ".png")
        {
            PictureGrid.Write(path, PointFiles.Joined(parts), pictures, Columns(count, pictures));
        }
        else
        {
            PointFiles.WriteParts(path, parts, count, PointFiles.CoordinateNames(width));
        }
    }
}
