using System.CommandLine;
using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Names;
using Lipschitz.Training;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz train DATA</c>.</summary>
internal sealed class TrainCommand
{
    private const int MostSampleGrids = 25; // of a run, at its tests
    private static readonly string[] s_files = ["model.safetensors", "best.safetensors", "training.safetensors", "config.json", "metrics.jsonl"];
    private static readonly Dictionary<string, string> s_elsewhere = new()
    {
        ["data"] = "DATA",
        ["dataPath"] = "--data PATH",
        ["name"] = "--model",
        ["seed"] = "--seed",
    };

    private readonly Shell _shell;
    private readonly Argument<string?> _data = new("DATA")
    {
        Description = DataSources.Description,
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _path = Arguments.DataPath(
        "Where mnist, fashion or cifar10 lies: a folder, or CIFAR-10's archive (default for mnist: the 10,000 digits that come with the library);"
        + " with --resume, where the run's data lie now");

    private readonly Option<string?> _model = Arguments.Model();

    private readonly Option<long?> _steps = Arguments.Whole<long>("--steps", 1, "Optimiser steps (default: the preset's)");
    private readonly Option<double?> _epochs = Arguments.Positive(
        "--epochs", "Instead of --steps: how often to go through the training pictures or points");

    private readonly Option<string?> _task = new("--task")
    {
        Description = "classification or hybrid: learn the classes of labelled pictures, instead of or besides their density",
        HelpName = "task",
    };

    private readonly Option<ulong?> _seed = Arguments.Seed("Seed of every random number of the run (default: 0)");
    private readonly Option<string?> _out = new("--out")
    {
        Description = "The run's new directory (default: runs/DATA-MODEL)",
        HelpName = "RUN",
    };

    private readonly Option<string?> _resume = new("--resume")
    {
        Description = "Continue this run where its last checkpoint stands",
        HelpName = "RUN",
    };

    private readonly ComputeOptions _compute = new();
    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Change a setting of the preset, such as training.learningRate=0.002; may be repeated",
        HelpName = "key=value",
    };

    private readonly Option<bool> _certify = new("--certify")
    {
        Description = "Scale the trained weights down, if need be, until every block is proven to be a contraction, and write certificate.json",
    };

    private TrainCommand(Shell shell) => _shell = shell;

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell) => new TrainCommand(shell).Build();

    private DocumentedCommand Build()
    {
        var command = new DocumentedCommand(
            "train",
            "Train a flow on points or pictures, test it and draw it.",
            "lipschitz train moons",
            "lipschitz train checkerboard --model idensenet --steps 20000 --seed 1",
            "lipschitz train points.csv --set model.blocks=12 --set training.batch=200 --out runs/mine",
            "lipschitz train moons --certify",
            "lipschitz train mnist",
            "lipschitz train cifar10 --data cifar-10-binary.tar.gz --model idensenet-lc --epochs 20",
            "lipschitz train mnist --task hybrid --set task.weight=0.01",
            "lipschitz train --resume runs/moons-quick")
        {
            _data, _path, _model, _steps, _epochs, _task, _seed, _out, _resume, _compute, _set, _certify,
        };
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parse)
    {
        bool resumes = parse.GetValue(_resume) is not null;
        using IBackend backend = _compute.Open(parse); // first: whoever lacks a driver should not have to fetch the data to be told so
        (Configuration configuration, IPointSource data) = resumes ? Resumed(parse) : New(parse);
        Trainer trainer = UsageException.Guard(() => CreateTrainer(configuration, backend, data));
        Trainer.ReleaseSetUp();
        string folder = parse.GetValue(_resume) ?? Folder(parse, configuration);
        using var claim = RunClaim.Take(folder);
        RunDirectory run = resumes ? Runs.Open(folder) : CreateRun(folder, configuration);
        var training = new TrainingRun(trainer, run, data is PictureSource pictures ? step => DrawSamples(run, trainer, pictures, step) : null);
        training.Begin(resumes);

        TrainingDisplay display = TrainingDisplay.For(_shell, parse.GetValue(_shell.Json));
        display.Announce($"{DataSources.ShortName(configuration.Data)}, {configuration.Name}: {trainer.Flow.TrainedCount} parameters,"
            + $" {ComputeOptions.Describe(backend)}, into {run.Path}");
        var watch = Stopwatch.StartNew();
        long first = trainer.StepsDone;
        TestReport test = _shell.Stop.Listen(stop => display.Watch(trainer, report => training.Run(report, stop)));
        double seconds = watch.Elapsed.TotalSeconds;

        Certification? certification = null;
        if (parse.GetValue(_certify))
        {
            certification = Certification.Make(run, test, () => FlowTest.Run(run.LoadFlow(backend), configuration, data, test.Step), backend);
            test = certification.After;
        }

        bool certified = certification?.Certificate.IsContractive == true;
        Flow flow = Runs.LoadInvertible(run, best: false, backend);
        DrawnFigures figures = FigureFiles.Draw(run.Path, run, flow, data);
        List<string> files =
            [.. s_files.Select(run.In).Where(File.Exists), .. certified ? [certification!.Path] : Array.Empty<string>(), .. figures.Files];
        _shell.Report(
            parse,
            new
            {
                run = run.Path,
                data = configuration.Data,
                model = configuration.Name,
                parameters = trainer.Flow.TrainedCount,
                steps = trainer.StepsDone,
                seed = configuration.Seed,
                backend = backend.Name,
                threads = backend.Threads,
                seconds,
                stepsPerSecond = (trainer.StepsDone - first) / seconds,
                samplesPerSecond = (trainer.StepsDone - first) * configuration.Training.Batch / seconds,
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
                reconstruction = figures.Reconstruction,
                notDrawn = figures.Missing,
                certification = certification is null ? null : new
                {
                    certified,
                    scaled = certification.Scaled,
                    before = certification.Before.NegativeLogLikelihood,
                    change = certification.Change,
                    largestBound = certification.LargestBound,
                },
                files,
            },
            console =>
            {
                TestText.Write(console, test, data.Entropy);
                figures.Write(console.Profile.Out.Writer);
                if (certified)
                {
                    certification!.Write(console);
                }

                console.Profile.Out.Writer.WriteLine($"written     {string.Join(", ", files.Select(Path.GetFileName))} in {run.Path}");
            });
        certification?.Require();
        return ExitCode.Success;
    }

    private static Trainer CreateTrainer(Configuration configuration, IBackend backend, IPointSource data)
    {
        // The estimators are asked now, before there is a run, whether they can work in this dimension.
        bool isClassifier = configuration.Task?.Kind == TaskKind.Classification;
        foreach (LogDetSettings settings in isClassifier ? [] : new[] { configuration.LogDet, configuration.Evaluation.LogDet })
        {
            if (settings.Method == LogDetMethod.Exact && data.Width > ExactDeterminant.LargestWidth)
            {
                throw new UsageException(
                    $"the exact log-determinant takes at most {ExactDeterminant.LargestWidth} columns, not {data.Width}:"
                    + " choose another for training with --set logDet.method=Roulette and for the test with --set evaluation.logDet.method=Roulette");
            }

            EstimatorFactory.Create(settings).CotangentCount(data.Width);
        }

        DataSources.CheckTestPoints(configuration, data, "evaluation.points");
        return new Trainer(configuration, backend, data);
    }

    private (Configuration Configuration, IPointSource Data) New(ParseResult parse)
    {
        string data = parse.GetValue(_data)
            ?? throw new UsageException("train needs DATA, such as moons, or --resume RUN (see lipschitz train --help)");
        string? path = parse.GetValue(_path);
        DataSet set = DataSources.Load(data, path);
        Configuration preset = Presets.Load(parse.GetValue(_model) ?? "quick", set.Family);
        Configuration fitting = Presets.ForWidth(preset, set.Columns ?? 0);
        Configuration configuration = fitting with
        {
            Data = DataSources.Address(data),
            DataPath = path is null ? null : Path.GetFullPath(path),
            Seed = parse.GetValue(_seed) ?? preset.Seed,
            Training = preset.Training with { Steps = parse.GetValue(_steps) ?? preset.Training.Steps },
        };
        configuration = configuration with { Task = Task(parse.GetValue(_task)) };
        configuration = DataSet.Fit(SettingChanges.Apply(configuration, parse.GetValue(_set), s_elsewhere), set.Shape);
        if (fitting != preset && (configuration.LogDet, configuration.Evaluation.LogDet) == (fitting.LogDet, fitting.Evaluation.LogDet))
        {
            _shell.Note(
                $"{set.Columns} columns are more than the {ExactDeterminant.LargestWidth} that the exact log-determinant takes: it is estimated without bias,"
                + $" in the test with {fitting.Evaluation.LogDet.ExactTerms} terms and a random number more");
        }

        IPointSource source = set.Source(configuration);
        if (DataScale.Note(configuration, source) is { } note)
        {
            _shell.Note(note);
        }

        configuration = WithData(configuration, source, parse.GetValue(_epochs), parse.GetValue(_steps) is not null);
        NoteHeld(configuration);
        return (configuration, source);
    }

    // A preset's number of steps to hold is of its own number of steps.
    private void NoteHeld(Configuration configuration)
    {
        (long held, long steps) = (configuration.Training.HoldConcatenation, configuration.Training.Steps);
        if (configuration.Model.Concatenation == ConcatenationKind.Learnable && held >= steps)
        {
            _shell.Note(
                $"the concatenation is held at its start for {held} steps, so that none of the {steps} learns it;"
                + $" --set training.holdConcatenation={steps / 2} releases it half way");
        }
    }

    private static TaskSettings? Task(string? name) => name switch
    {
        null or "density" => null,
        "classification" => new TaskSettings { Kind = TaskKind.Classification },
        "hybrid" => new TaskSettings { Kind = TaskKind.Hybrid },
        _ => throw new UnknownNameException("task", name, ["density", "classification", "hybrid"]),
    };

    // What a configuration takes from its data: the number of classes, and that of steps where epochs were asked for.
    private static Configuration WithData(Configuration configuration, IPointSource data, double? epochs, bool hasSteps)
    {
        if (configuration.Task is { Classes: 0 } task)
        {
            int classes = data is ILabelledSource labelled ? labelled.Classes : 0;
            configuration = classes > 0
                ? configuration with { Task = task with { Classes = classes } }
                : throw new UsageException($"{configuration.Data} has no labels, which --task {task.Kind.ToString().ToLowerInvariant()} learns");
        }

        if (epochs is not { } count)
        {
            return configuration;
        }

        if (hasSteps)
        {
            throw new UsageException("--epochs and --steps both say how long to train; give one of them");
        }

        int rows = (data.RowsPerEpoch ?? data.TrainingRows)
            ?? throw new UsageException($"--epochs does not go with {configuration.Data}, whose points never end; give --steps");
        double steps = Math.Ceiling(count * rows / configuration.Training.Batch);
        return steps is >= 1 and <= uint.MaxValue
            ? configuration with { Training = configuration.Training with { Steps = (long)steps } }
            : throw new UsageException($"--epochs {count} are {steps} steps; it needs a positive number");
    }

    // At most 25 grids a run, whatever the number of its tests, at the same latents each.
    private static void DrawSamples(RunDirectory run, Trainer trainer, PictureSource data, long step)
    {
        TrainingSettings training = run.Configuration.Training;
        long interval = training.TestInterval * Math.Max(1, (training.Steps / Math.Max(training.TestInterval, 1) + MostSampleGrids - 1) / MostSampleGrids);
        if (run.Configuration.Task?.Kind == TaskKind.Classification || training.TestInterval == 0 || step % interval != 0)
        {
            return;
        }

        try
        {
            PictureFigures.DrawSamples(run.In($"samples-{step}.png"), trainer.InferenceFlow(), data.Shape, run.Configuration.Seed);
        }
        catch (ConvergenceException)
        {
            // Early weights may not be known to be contractive yet; the figures at the end say so if it stays like that.
        }
    }

    private (Configuration Configuration, IPointSource Data) Resumed(ParseResult parse)
    {
        Arguments.Refuse(
            parse, "does not go with --resume: a resumed run keeps its configuration", _model, _steps, _epochs, _task, _seed, _out, _set);
        RunDirectory run = Runs.Open(parse.GetValue(_resume)!);
        Configuration configuration = run.Configuration;
        if (parse.GetValue(_data) is { } data && DataSources.Address(data) != configuration.Data)
        {
            throw new UsageException($"the run {parse.GetValue(_resume)} is on {configuration.Data}, not on {data}");
        }

        // Another place of the same data; the sample that comes with the library is not exchanged for the full set.
        string? path = parse.GetValue(_path);
        if (path is not null && configuration.DataPath is null && DataSources.Names.Contains(configuration.Data))
        {
            throw new UsageException($"the run {parse.GetValue(_resume)} is on {configuration.Data} as it comes with the library; --data does not go with it");
        }

        return (configuration, DataSources.OfRun(run, path));
    }

    private string Folder(ParseResult parse, Configuration configuration) =>
        parse.GetValue(_out) ?? Path.Combine("runs", $"{DataSources.ShortName(configuration.Data)}-{configuration.Name}");

    private static RunDirectory CreateRun(string path, Configuration configuration)
    {
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new UsageException(
                $"{path} exists and is not empty; continue it with --resume {path} or choose another directory with --out");
        }

        return OutputException.Guard(path, () => RunDirectory.Create(path, configuration));
    }
}
