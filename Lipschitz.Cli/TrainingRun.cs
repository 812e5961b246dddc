using System.Diagnostics;
using Lipschitz.Checkpoints;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Cli;

/// <summary>Trains to the end of the configuration: steps, tests, metrics and checkpoints at their intervals.</summary>
/// <param name="trainer">What trains.</param>
/// <param name="run">Where its results are kept.</param>
/// <param name="afterTest">Called after each test on the way, with the steps done; null for nothing.</param>
/// <param name="continuation">How to continue an interrupted run; null for the command <c>train</c>.</param>
internal sealed class TrainingRun(Trainer trainer, RunDirectory run, Action<long>? afterTest = null, string? continuation = null)
{
    private readonly TrainingSettings _settings = run.Configuration.Training;
    private readonly Stopwatch _watch = new();
    private readonly Stopwatch _sinceCheckpoint = Stopwatch.StartNew();
    private readonly TrainingAverages _averages = new();
    private readonly int? _dimensions = trainer.Data is PictureSource ? trainer.Data.Width : null;
    private double _secondsBefore;
    private double _bestLoss = double.PositiveInfinity;
    private long _saved = -1;

    /// <summary>Goes to where the last checkpoint stands, or writes the first one.</summary>
    /// <param name="resumes">Whether the run exists already.</param>
    /// <exception cref="InputException">It has a trained model, but not what is needed to continue, so that starting over would destroy it.</exception>
    public void Begin(bool resumes)
    {
        if (resumes && !run.HasTrainingState && run.ModelFacts() is { Step: > 0 } model)
        {
            throw new InputException(
                $"{run.Path} holds a model of {model.Step} steps, but no training.safetensors to continue from; train into another folder");
        }

        if (resumes && run.TryRestore(trainer))
        {
            DeleteLeftovers();
            _saved = trainer.StepsDone;
            _secondsBefore = run.Metrics.Read().Max(line => line.Seconds) ?? 0;
            _bestLoss = run.BestLoss();
        }
        else
        {
            OutputException.Guard(run.Path, () => run.Metrics.TruncateAfter(0));
            Save();
        }
    }

    /// <summary>Trains, and tests at the end.</summary>
    /// <param name="report">Called after each step.</param>
    /// <param name="cancellation">Asks to save a checkpoint and stop.</param>
    /// <exception cref="InterruptedException">Cancelled; a checkpoint is saved.</exception>
    /// <exception cref="DivergedException">A number became non-finite; the last checkpoint is as it was.</exception>
    public TestReport Run(Action<StepReport> report, CancellationToken cancellation)
    {
        _watch.Start();
        try
        {
            TestReport? test = null;
            while (trainer.StepsDone < _settings.Steps)
            {
                if (cancellation.IsCancellationRequested)
                {
                    Save();
                    throw new InterruptedException(
                        $"stopped at step {trainer.StepsDone} of {_settings.Steps}, checkpoint saved;"
                        + $" {continuation ?? $"continue with: lipschitz train --resume {run.Path}"}");
                }

                StepReport step = trainer.Step();
                report(step);
                test = AfterStep(step);
            }

            test ??= LastTest();
            return test.Value;
        }
        catch (NonFiniteException divergence)
        {
            string what = divergence.Message.TrimEnd('.');
            throw new DivergedException($"{what}; the last good checkpoint is step {_saved} in {run.Path}", divergence);
        }
    }

    private TestReport? AfterStep(StepReport step)
    {
        bool last = step.Step == _settings.Steps;
        _averages.Add(step);
        if (last || step.Step % _settings.MetricsInterval == 0)
        {
            Append(_averages.Take(step, _dimensions) with
            {
                LargestLipschitzEstimate = trainer.Flow.BlockLipschitzEstimates().Max(),
                Seconds = Seconds,
            });
        }

        if (last)
        {
            Save(); // before the test, which may fail
        }

        TestReport? test = null;
        if (last || (_settings.TestInterval > 0 && step.Step % _settings.TestInterval == 0))
        {
            test = Test(step.Step);
        }

        if (!last && (step.Step % _settings.CheckpointInterval == 0 || IsDue))
        {
            Save();
        }

        return test;
    }

    // Resumed at its end: the line of the test may be missing.
    private TestReport LastTest() =>
        run.Metrics.Read().Any(line => line.Step == _settings.Steps && (line.TestNll ?? line.TestLoss) is not null) ? trainer.Test() : Test(_settings.Steps);

    private double Seconds => _secondsBefore + _watch.Elapsed.TotalSeconds;

    private bool IsDue => _settings.CheckpointMinutes > 0 && _sinceCheckpoint.Elapsed.TotalMinutes >= _settings.CheckpointMinutes;

    // The best model first: a kill between the two makes the resumed run write it again.
    private TestReport Test(long step)
    {
        TestReport report = trainer.Test();
        if (report.Loss < _bestLoss)
        {
            OutputException.Guard(run.Path, () => run.SaveBest(trainer));
            _bestLoss = report.Loss;
        }

        bool hasDensity = double.IsFinite(report.NegativeLogLikelihood);
        Append(new MetricsLine
        {
            Step = step,
            TestNll = hasDensity ? report.NegativeLogLikelihood : null,
            TestStandardError = hasDensity ? report.StandardError : null,
            TestLoss = report.Classes is null ? null : report.Loss,
            TestBitsPerDim = report.Bits?.Value,
            TestBitsStandardError = report.Bits?.StandardError,
            TestCrossEntropy = report.Classes?.CrossEntropy,
            TestAccuracy = report.Classes?.Accuracy,
            TestAccuracyError = report.Classes?.AccuracyError,
            Seconds = Seconds,
        });
        afterTest?.Invoke(step);
        return report;
    }

    private void Append(MetricsLine line) => OutputException.Guard(run.Path, () => run.Metrics.Append(line));

    // A kill in the middle of a write leaves a temporary file.
    private void DeleteLeftovers() => OutputException.Guard(run.Path, () =>
    {
        foreach (string file in Directory.EnumerateFiles(run.Path, ".*.tmp"))
        {
            File.Delete(file);
        }
    });

    // The model first: after a kill in between, the older training state leads to the same model again.
    private void Save()
    {
        if (_saved != trainer.StepsDone)
        {
            OutputException.Guard(run.Path, () =>
            {
                run.SaveModel(trainer);
                run.SaveTraining(trainer);
            });
            _saved = trainer.StepsDone;
        }

        _sinceCheckpoint.Restart();
    }
}
