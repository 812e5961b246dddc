using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cli.Reproduction;
using Lipschitz.Flows;
using Lipschitz.Names;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz reproduce FOLDER</c>.</summary>
internal sealed class ReproduceCommand
{
    private readonly Shell _shell;
    private readonly Argument<string> _folder = new("FOLDER")
    {
        Description = $"The folder of a paper, with an {ExperimentsFile.Name}, such as papers/invertible-densenets",
    };

    private readonly Option<string[]> _only = new("--only")
    {
        Description = $"A group of experiments, such as toy (default: all of {ExperimentsFile.Name}); may be repeated",
        HelpName = "group",
    };

    private readonly Option<string[]> _model = new("--model")
    {
        Description = "A model of these groups, such as idensenet (default: all of them); may be repeated",
        HelpName = "model",
    };

    private readonly Option<long?> _steps = Arguments.Whole<long>(
        "--steps", 1, "Train for so many steps instead, as a trial: its runs and its rows of the tables are kept apart");

    private readonly Option<int?> _seeds = Arguments.Whole("--seeds", 1, "Seeds 0, 1, .. of each cell (default: 1 of them)");
    private readonly Option<int?> _points = Arguments.Whole("--points", 2, "Test what finishes now on so many points instead of the experiment's");
    private readonly Option<string[]> _data = new("--data")
    {
        Description = "Where a set of pictures lies; may be repeated",
        HelpName = "mnist|cifar10=PATH",
    };

    private readonly Option<string?> _runs = new("--runs")
    {
        Description = "The folder of the runs, and of results about them (default: FOLDER/runs and FOLDER/results)",
        HelpName = "folder",
    };

    private readonly Option<bool> _report = new("--report") { Description = "Run nothing: write tables and figures of what is finished" };
    private readonly ComputeOptions _compute = new();

    private ReproduceCommand(Shell shell) => _shell = shell;

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell) => new ReproduceCommand(shell).Build();

    private DocumentedCommand Build()
    {
        var command = new DocumentedCommand(
            "reproduce",
            "Run the experiments of a paper that are missing, continue interrupted ones, and write tables and figures into FOLDER/results.",
            "lipschitz reproduce papers/invertible-densenets --only toy",
            "lipschitz reproduce papers/invertible-densenets --only toy --only budget --seeds 3",
            "lipschitz reproduce papers/invertible-densenets --only toy --model idensenet --steps 1000",
            "lipschitz reproduce papers/invertible-densenets --only mnist --data mnist=mnist-folder --backend cuda")
        {
            _folder, _only, _model, _steps, _seeds, _points, _data, _runs, _report, _compute,
        };
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parse)
    {
        string folder = parse.GetRequiredValue(_folder);
        Experiments experiments = ExperimentsFile.Read(folder);
        string[] only = parse.GetValue(_only) ?? [];
        ExperimentGroup[] groups = only.Length == 0 ? [.. experiments.Groups] : [.. only.Distinct().Select(experiments.Group)];
        string[] models = ModelNames(groups, parse.GetValue(_model) ?? []);
        IReadOnlyDictionary<string, string> places = Places(parse.GetValue(_data) ?? [], experiments);
        string? elsewhere = parse.GetValue(_runs);
        string runs = elsewhere ?? Path.Combine(folder, "runs"), home = elsewhere ?? folder;
        bool isReport = parse.GetValue(_report);
        if (isReport && elsewhere is not null && !Directory.Exists(elsewhere))
        {
            throw new InputException($"there is no folder {elsewhere}");
        }

        CellFolder[] cells =
        [
            .. groups.SelectMany(group => CellsOf(experiments, group, models, parse.GetValue(_steps), parse.GetValue(_seeds) ?? 1))
                .DistinctBy(cell => cell.Name).Select(cell => new CellFolder(cell, runs)),
        ];
        if (!isReport)
        {
            ThrowUnlessRunnable(cells, places, only.Length > 0);
        }

        using IBackend backend = _compute.Open(parse);
        TrainingDisplay display = TrainingDisplay.For(_shell, parse.GetValue(_shell.Json));
        var results = new ResultFolder(new Catalogue(experiments, runs), folder, home);
        var outcomes = new List<Outcome>();
        try
        {
            foreach (CellFolder cell in isReport ? [] : cells)
            {
                Outcome outcome = RunOne(cell, places.GetValueOrDefault(cell.Cell.Data.Name), parse.GetValue(_points), backend, display);
                outcomes.Add(outcome);
                display.Announce($"[{outcomes.Count}/{cells.Length}] {outcome}");
                if (outcome.IsNew)
                {
                    results.WriteTexts();
                }
            }
        }
        catch (InterruptedException)
        {
            results.WriteTexts();
            throw;
        }

        Report(parse, home, runs, outcomes, [.. results.WriteTexts(), .. results.DrawFigures(groups, backend, display.Announce)]);
        ThrowIfFailed(outcomes);
        return ExitCode.Success;
    }

    private static void ThrowIfFailed(List<Outcome> outcomes)
    {
        Outcome[] failed = [.. outcomes.Where(outcome => outcome.Failure is not null)];
        if (failed.Length == 0)
        {
            return;
        }

        string summary = $"{failed.Length} of {outcomes.Count} cells failed: {string.Join("; ", failed.Select(f => f.ToString()))}";
        Exception? numerical = failed.Select(f => f.Failure).FirstOrDefault(f => f is DivergedException or NonFiniteException);
        throw numerical is null ? new InputException(summary) : new DivergedException(summary, numerical);
    }

    // Those asked for; all of them where none is.
    private static string[] ModelNames(ExperimentGroup[] groups, string[] asked)
    {
        string[] known = [.. groups.SelectMany(group => group.Models).Select(model => model.Name).Distinct()];
        string? stranger = asked.FirstOrDefault(name => !known.Contains(name));
        return stranger is not null ? throw new UnknownNameException("model", stranger, known) : asked.Length == 0 ? known : asked;
    }

    // Data set by data set, so that what is finished early can be compared.
    private static IEnumerable<Cell> CellsOf(Experiments experiments, ExperimentGroup group, string[] models, long? steps, int seeds)
    {
        for (int seed = 0; seed < seeds; seed++)
        {
            foreach (ExperimentData data in group.Data)
            {
                foreach (ExperimentModel model in group.Models.Where(model => models.Contains(model.Name)))
                {
                    yield return experiments.Cell(group, model, data, (ulong)seed, steps);
                }
            }
        }
    }

    private static Dictionary<string, string> Places(string[] assignments, Experiments experiments)
    {
        var places = new Dictionary<string, string>();
        IEnumerable<string> names = experiments.Groups.SelectMany(group => group.Data).Select(data => data.Name).Distinct();
        string[] pictures = [.. names.Where(name => DataSources.Shape(name) is not null)];
        foreach (string assignment in assignments)
        {
            int equals = assignment.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? assignment : assignment[..equals];
            if (equals <= 0 || !pictures.Contains(name))
            {
                string known = pictures.Length == 0 ? "none here" : string.Join(" or ", pictures);
                throw new UsageException($"--data {assignment}: expected NAME=PATH, NAME being {known}");
            }

            string path = assignment[(equals + 1)..];
            places[name] = File.Exists(path) || Directory.Exists(path) ? path : throw new InputException($"there is no file or folder {path}");
        }

        return places;
    }

    // Before anything is trained: a stranger's run, or pictures that nobody knows the place of.
    private static void ThrowUnlessRunnable(CellFolder[] cells, IReadOnlyDictionary<string, string> places, bool isChosen)
    {
        foreach (CellFolder cell in cells)
        {
            cell.Result();
            if (isChosen && IsWithoutPictures(cell, places.GetValueOrDefault(cell.Cell.Data.Name)))
            {
                throw new UsageException($"{cell.Cell.Name} needs the whole set: give --data {cell.Cell.Data.Name}=PATH");
            }
        }
    }

    private static bool IsWithoutPictures(CellFolder cell, string? path) => cell.Cell.IsOfPictures && path is null && !cell.HasRun;

    // What is wrong with one cell does not stop the others.
    private Outcome RunOne(CellFolder cell, string? path, int? points, IBackend backend, TrainingDisplay display)
    {
        string name = cell.Cell.Name;
        if (cell.Result() is { } finished)
        {
            return new Outcome(name, "finished before", finished);
        }

        if (IsWithoutPictures(cell, path))
        {
            return new Outcome(name, $"left out; give --data {cell.Cell.Data.Name}=PATH", null);
        }

        if (_shell.Stop.IsRequested)
        {
            throw new InterruptedException($"stopped before {name}; continue with the same command");
        }

        using RunClaim? claim = RunClaim.TryTake(cell.Path);
        if (claim is null)
        {
            return new Outcome(name, "left out; another process works on it", null);
        }

        try
        {
            if (cell.Result() is { } meanwhile)
            {
                return new Outcome(name, "finished by another process", meanwhile);
            }

            return new Outcome(name, "finished", _shell.Stop.Listen(stop => new CellRun(cell, backend, path, points).Run(display, stop))) { IsNew = true };
        }
        catch (Exception failure) when (failure is DivergedException or NonFiniteException or CheckpointFormatException or InputException)
        {
            return new Outcome(name, failure.Message, null) { Failure = failure };
        }
        catch (InterruptedException interruption)
        {
            throw new InterruptedException($"{name}: {interruption.Message}");
        }
    }

    private void Report(ParseResult parse, string folder, string runs, List<Outcome> outcomes, List<string> files)
    {
        object result = new
        {
            folder,
            runs,
            cells = outcomes.Select(outcome => new
            {
                name = outcome.Name,
                state = outcome.State,
                test = outcome.Result?.Test,
                standardError = outcome.Result?.StandardError,
                unit = outcome.Result?.Unit,
                steps = outcome.Result?.Steps,
            }),
            files,
        };
        _shell.Report(parse, result, console => console.Profile.Out.Writer.WriteLine(
            $"written     {string.Join(", ", files.Select(file => Path.GetRelativePath(folder, file)))} in {folder}"));
    }

    /// <summary>What became of a cell.</summary>
    private sealed record Outcome(string Name, string State, CellResult? Result)
    {
        public bool IsNew { get; init; }

        public Exception? Failure { get; init; }

        public override string ToString() => Result is null ? $"{Name}: {State}"
            : $"{Name}: {State}, {CellText.Number(Result.Test)} ± {CellText.Number(Result.StandardError)} {Result.Unit}"
                + $" after {CellText.Count(Result.Steps)} steps in {CellText.Time(TimeSpan.FromSeconds(Result.Seconds))}";
    }
}
