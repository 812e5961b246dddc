using System.Diagnostics;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Cli;

/// <summary>Trains to the end of the configuration: steps, tests, metrics and checkpoints at their intervals.</summary>
/// <param name="trainer">What trains.</param>
/// <param name="run">Where its results are kept.</param>
internal sealed class TrainingRun(Trainer trainer, RunDirectory run)
{
    private readonly TrainingSettings _settings = run.Configuration.Training;
    private readonly Stopwatch _watch = new();
    private double _secondsBefore;
    private double _lossSum;
    private long _lossSteps;
    private long _saved = -1;

    /// <summary>Goes to where the last checkpoint stands, or writes the first one.</summary>
    /// <param name="resumes">Whether the run exists already.</param>
    public void Begin(bool resumes)
    {
        if (resumes && run.TryRestore(trainer))
        {
            DeleteLeftovers();
            _saved = trainer.StepsDone;
            _secondsBefore = run.Metrics.Read().Max(line => line.Seconds) ?? 0;
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
                        + $" continue with: lipschitz train --resume {run.Path}");
                }

                StepReport step = trainer.Step();
                report(step);
                test = AfterStep(step);
            }

            test ??= trainer.Test();
            Save();
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
        _lossSum += step.Loss;
        _lossSteps++;
        if (last || step.Step % _settings.MetricsInterval == 0)
        {
            Append(new MetricsLine
            {
                Step = step.Step,
                Loss = _lossSum / _lossSteps,
                GradientNorm = step.GradientNorm,
                LearningRate = step.LearningRate,
                LargestLipschitzEstimate = trainer.Flow.BlockLipschitzEstimates().Max(),
                Seconds = _secondsBefore + _watch.Elapsed.TotalSeconds,
            });
            _lossSum = _lossSteps = 0;
        }

        TestReport? test = null;
        if (last || (_settings.TestInterval > 0 && step.Step % _settings.TestInterval == 0))
        {
            TestReport report = trainer.Test();
            Append(new MetricsLine
            {
                Step = step.Step,
                TestNll = report.NegativeLogLikelihood,
                TestStandardError = report.StandardError,
                Seconds = _secondsBefore + _watch.Elapsed.TotalSeconds,
            });
            test = report;
        }

        if (!last && step.Step % _settings.CheckpointInterval == 0)
        {
            Save();
        }

        return test;
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
    }
}
