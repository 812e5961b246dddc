using System.CommandLine;
using System.Globalization;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;
using Lipschitz.Models;
using Spectre.Console;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz invert RUN [INPUT]</c>.</summary>
internal static class InvertCommand
{
    private const double VacuousFactor = 1e3; // beyond it a bound that holds is no news

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        var input = new Argument<string?>("INPUT")
        {
            Description = $"A .csv or .npy file of points (default: of the test set, {RoundTrip.DefaultPoints} points or {RoundTrip.DefaultPictures} pictures)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<double?> tolerance = Arguments.Positive(
            "--tolerance", "The error bound of each block at which its inverse of a point is done, or where rounding allows no less (default: 1e-4, for pictures 1e-2)");
        Option<bool> best = Arguments.Best();
        Option<string?> moved = Arguments.MovedData();
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "invert",
            "Check the inverse: send points to the latent space and back, and compare the reported error bound with the measured error.",
            "lipschitz invert runs/moons-quick",
            "lipschitz invert runs/moons-quick points.csv --tolerance 1e-5") { run, input, tolerance, best, moved, compute };
        command.SetAction(parse =>
        {
            if (parse.GetValue(input) is not null && parse.GetValue(moved) is not null)
            {
                throw new UsageException("--data says where the run's data lie, which INPUT takes the place of; give one of them");
            }

            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            using IBackend backend = compute.Open(parse);
            Flow flow = Runs.LoadInvertible(directory, parse.GetValue(best), backend);
            Configuration configuration = directory.Configuration;
            double[] points = parse.GetValue(input) is { } path
                ? PointFiles.ReadFor(configuration, flow.Width, path).Values
                : RoundTrip.TestPoints(configuration, DataSources.OfRun(directory, parse.GetValue(moved)));
            double error = parse.GetValue(tolerance) ?? RoundTrip.DefaultTolerance(configuration);
            Report(shell, parse, directory.Path, RoundTrip.Of(flow, points, error));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Report(Shell shell, ParseResult parse, string run, RoundTrip trip)
    {
        InverseReport report = trip.Report;
        double[] measured = trip.Errors;
        int within = trip.Within;
        Spread iterations = Spread.Of([.. report.Iterations.Select(i => (double)i)]);
        Spread residual = Spread.Of(report.Residuals), bound = Spread.Of(report.ErrorBounds);
        Spread blockBound = Spread.Of(report.BlockErrorBounds), error = Spread.Of(measured);
        object result = new
        {
            run,
            points = measured.Length,
            iterations,
            residual,
            blockErrorBound = blockBound,
            errorBound = bound,
            measuredError = error,
            withinBound = within,
        };
        shell.Report(parse, result, console =>
        {
            Table table = new Table().Border(TableBorder.Simple).AddColumn("");
            foreach (string title in new[] { "mean", "median", "99%", "largest" })
            {
                table.AddColumn(new TableColumn(title).RightAligned());
            }

            AddRow(table, "iterations, all blocks", iterations, "0.0");
            AddRow(table, "residual", residual, "0.0e+0");
            AddRow(table, "error bound, worst block", blockBound, "0.0e+0");
            AddRow(table, "error bound, all blocks", bound, "0.0e+0");
            AddRow(table, "measured |x - x'|", error, "0.0e+0");
            console.Write(table);
            TextWriter text = console.Profile.Out.Writer;
            text.WriteLine($"{within} of {measured.Length} points came back within their bound");
            if (bound.Median > VacuousFactor * error.Largest)
            {
                text.WriteLine(
                    "the bound over all blocks multiplies their worst cases, so for this flow it says little;"
                    + " look at the worst block and the measured error");
            }
        });
    }

    private static void AddRow(Table table, string name, Spread spread, string format)
    {
        double[] cells = [spread.Mean, spread.Median, spread.Percentile99, spread.Largest];
        table.AddRow([name, .. cells.Select(value => value.ToString(format, CultureInfo.InvariantCulture))]);
    }

    /// <summary>How a number varies over the points; the quantiles by nearest rank, so that none is below its share of the points.</summary>
    private sealed record Spread(double Mean, double Median, double Percentile99, double Largest)
    {
        public static Spread Of(double[] values)
        {
            double[] sorted = [.. values.Order()];
            double Quantile(long percent) => sorted[(((percent * sorted.Length) + 99) / 100) - 1];
            return new Spread(sorted.Average(), Quantile(50), Quantile(99), sorted[^1]);
        }
    }
}
