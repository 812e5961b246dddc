using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cli.Figures;
using Lipschitz.Data;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz plot RUN</c>.</summary>
internal static class PlotCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        var run = new Argument<string[]>("RUN")
        {
            Description = "The directory of a run, such as runs/moons-quick; with --compare two or more",
            Arity = ArgumentArity.OneOrMore,
        };
        var compare = new Option<bool>("--compare") { Description = "Draw the tests of several runs into one picture" };
        var output = new Option<string?>("--out")
        {
            Description = "The folder to draw into (default: RUN); with --compare the .png file (default: comparison.png)",
            HelpName = "folder|file",
        };
        Option<bool> best = Arguments.Best();
        Option<string?> path = Arguments.MovedData();
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "plot",
            "Draw a run: densities or pictures (held-out, given back, sampled), curves, and the factors e1 and e2 of dense layers.",
            "lipschitz plot runs/moons-quick",
            "lipschitz plot runs/moons-quick --out figures",
            "lipschitz plot --compare runs/mnist-idensenet-lc runs/mnist-resflow --out curves.png") { run, compare, output, best, path, compute };
        command.SetAction(parse =>
        {
            string[] names = parse.GetRequiredValue(run);
            if (parse.GetValue(compare))
            {
                Compare(shell, parse, names, parse.GetValue(output) ?? "comparison.png");
                return ExitCode.Success;
            }

            if (names.Length > 1)
            {
                throw new UsageException("plot draws one run; several into one picture with --compare");
            }

            RunDirectory directory = Runs.Open(names[0]);
            string folder = parse.GetValue(output) ?? directory.Path;
            IPointSource data = DataSources.OfRun(directory, parse.GetValue(path));
            OutputException.Guard(folder, () => Directory.CreateDirectory(folder));
            using IBackend backend = compute.Open(parse);
            DrawnFigures figures = FigureFiles.Draw(folder, directory, Runs.LoadInvertible(directory, parse.GetValue(best), backend), data);
            shell.Report(
                parse,
                new { run = directory.Path, files = figures.Files, reconstruction = figures.Reconstruction, notDrawn = figures.Missing },
                console =>
                {
                    TextWriter text = console.Profile.Out.Writer;
                    figures.Files.ForEach(text.WriteLine);
                    figures.Write(text);
                });
            return ExitCode.Success;
        });
        return command;
    }

    private static void Compare(Shell shell, ParseResult parse, string[] names, string file)
    {
        if (PointFiles.Extension(file) != ".png")
        {
            throw new UsageException($"--compare draws a .png file, not {file}");
        }

        if (names.Length < 2)
        {
            throw new UsageException("--compare needs two or more runs");
        }

        RunDirectory[] runs = [.. names.Select(Runs.Open)];
        RunCurves[] bits = [.. runs.Select(run => RunCurves.Bits(run.Metrics.Read()))];
        bool allBits = bits.All(curves => curves.Tests.Count > 0);
        RunCurves[] shown = allBits ? bits : [.. runs.Select(run => RunCurves.Loss(run.Metrics.Read()))];
        int untested = Array.FindIndex(shown, curves => curves.Tests.Count == 0);
        if (untested >= 0)
        {
            throw new InputException($"{runs[untested].Path} has no test yet; they come every training.testInterval steps");
        }

        string[] labels = [.. runs.Select(run => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(run.Path))))];
        var figure = new List<ComparisonFigure.Curve>(shown.Zip(labels, (curves, label) => new ComparisonFigure.Curve(label, curves.Tests)));
        double?[] entropies = [.. runs.Select(run => ToyDensities.All.FirstOrDefault(density => density.Name == run.Configuration.Data)?.Entropy).Distinct()];
        byte[] png = ComparisonFigure.Draw(figure, allBits ? "test bits per dimension" : "test loss", entropies.Length == 1 ? entropies[0] : null);
        OutputException.Guard(file, () => AtomicFile.Write(file, stream => stream.Write(png)));
        var result = runs.Zip(shown, (run, curves) => new
        {
            run = run.Path,
            tests = curves.Tests.Count,
            last = curves.Tests[^1].Value,
            standardError = curves.Tests[^1].StandardError,
            best = curves.Tests.Min(test => test.Value),
        }).ToArray();
        shell.Report(parse, new { file, unit = allBits ? "bits per dimension" : "loss", runs = result }, console =>
        {
            foreach (var row in result)
            {
                console.Profile.Out.Writer.WriteLine($"{row.run}: last {row.last:0.0000} ± {row.standardError:0.0000}, best {row.best:0.0000}");
            }

            console.Profile.Out.Writer.WriteLine($"drawn into {file}");
        });
    }
}
