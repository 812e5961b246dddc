using System.Diagnostics;
using Lipschitz.Data;
using Lipschitz.Training;
using Spectre.Console;

namespace Lipschitz.Cli;

/// <summary>Shows how training gets on.</summary>
internal abstract class TrainingDisplay
{
    /// <summary>A progress bar on a terminal, a line every few seconds otherwise, nothing under --json.</summary>
    public static TrainingDisplay For(Shell shell, bool json) =>
        json ? new Silent() : shell.IsTerminal ? new Bar(shell.NewConsole()) : new Lines(shell.Output);

    /// <summary>Says what is about to be trained.</summary>
    public abstract void Announce(string line);

    /// <summary>Runs a training that reports its steps, and shows them.</summary>
    /// <param name="trainer">What trains, at its first step.</param>
    /// <param name="training">Calls its argument after each step.</param>
    public abstract TestReport Watch(Trainer trainer, Func<Action<StepReport>, TestReport> training);

    // A single batch's loss jumps with the length of its series.
    private sealed class Recent
    {
        private const int Steps = 50;
        private int _count;
        private StepReport _mean;

        public StepReport Add(StepReport step)
        {
            double weight = 1.0 / Math.Min(++_count, Steps);
            double Mean(double mean, double value) => mean + (weight * (value - mean));
            double? Part(double? mean, double? value) => value is { } number ? Mean(mean ?? number, number) : null;
            return _mean = step with
            {
                Loss = Mean(_mean.Loss, step.Loss),
                NegativeLogLikelihood = Part(_mean.NegativeLogLikelihood, step.NegativeLogLikelihood),
                CrossEntropy = Part(_mean.CrossEntropy, step.CrossEntropy),
                Accuracy = Part(_mean.Accuracy, step.Accuracy),
            };
        }
    }

    private static string Losses(Trainer trainer, StepReport step)
    {
        string text = trainer.Data is not PictureSource ? $"loss {step.Loss:0.0000}"
            : step.NegativeLogLikelihood is { } nats ? $"{BitsPerDim.FromNats(nats, trainer.Data.Width):0.000} bits per dimension"
            : "";
        return step.CrossEntropy is { } crossEntropy ? $"{text}  cross entropy {crossEntropy:0.000}  accuracy {step.Accuracy:0.00}".TrimStart() : text;
    }

    private static string Pace(Trainer trainer, Speed speed) => trainer.Data is PictureSource
        ? $"{speed.StepsPerSecond * trainer.Configuration.Training.Batch:0.0} pictures/s"
        : $"{speed.StepsPerSecond:0.0} steps/s";

    private static string Time(TimeSpan time) => time.ToString(time.TotalDays >= 1 ? @"d\.hh\:mm\:ss" : time.TotalHours >= 1 ? @"h\:mm\:ss" : @"m\:ss", System.Globalization.CultureInfo.InvariantCulture);

    private sealed class Silent : TrainingDisplay
    {
        public override void Announce(string line)
        {
        }

        public override TestReport Watch(Trainer trainer, Func<Action<StepReport>, TestReport> training) => training(_ => { });
    }

    private sealed class Lines(TextWriter output) : TrainingDisplay
    {
        private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

        public override void Announce(string line) => output.WriteLine(line);

        public override TestReport Watch(Trainer trainer, Func<Action<StepReport>, TestReport> training)
        {
            var speed = new Speed(trainer.StepsDone, s_interval);
            var recent = new Recent();
            long total = trainer.Configuration.Training.Steps;
            return training(step =>
            {
                StepReport mean = recent.Add(step);
                if (speed.Update(step.Step) || step.Step == total)
                {
                    TimeSpan left = speed.TimeLeft(total - step.Step);
                    output.WriteLine($"step {step.Step}/{total}  {Pace(trainer, speed)}  {Losses(trainer, mean)}"
                        + $"  left {Time(left)}  largest block Lipschitz estimate {trainer.Flow.BlockLipschitzEstimates().Max():0.000}");
                    output.Flush();
                }
            });
        }
    }

    private sealed class Bar(IAnsiConsole console) : TrainingDisplay
    {
        public override void Announce(string line) => console.Profile.Out.Writer.WriteLine(line);

        public override TestReport Watch(Trainer trainer, Func<Action<StepReport>, TestReport> training) => console.Progress()
            .Columns(new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                long total = trainer.Configuration.Training.Steps;
                ProgressTask task = context.AddTask("starting", maxValue: total);
                task.Value = trainer.StepsDone;
                var speed = new Speed(trainer.StepsDone, TimeSpan.FromSeconds(0.5));
                var recent = new Recent();
                return training(step =>
                {
                    StepReport mean = recent.Add(step);
                    task.Value = step.Step;
                    if (speed.Update(step.Step) || step.Step == total)
                    {
                        TimeSpan left = speed.TimeLeft(total - step.Step);
                        task.Description = $"step {step.Step}/{total}  {Pace(trainer, speed)}  {Losses(trainer, mean)}"
                            + $"  left {Time(left)}  Lip {trainer.Flow.BlockLipschitzEstimates().Max():0.000}";
                    }
                });
            });
    }

    /// <summary>Steps a second, measured over intervals and smoothed a little.</summary>
    private sealed class Speed(long first, TimeSpan interval)
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private long _lastStep = first;
        private double _stepsPerSecond;

        /// <summary>The speed.</summary>
        public double StepsPerSecond => _stepsPerSecond;

        /// <summary>Measures once an interval; whether it did.</summary>
        public bool Update(long step)
        {
            double seconds = _watch.Elapsed.TotalSeconds;
            double now = (step - _lastStep) / seconds;
            if (_watch.Elapsed < interval)
            {
                if (_stepsPerSecond == 0)
                {
                    _stepsPerSecond = now;
                }

                return false;
            }

            _stepsPerSecond = _stepsPerSecond == 0 ? now : (0.5 * _stepsPerSecond) + (0.5 * now);
            _lastStep = step;
            _watch.Restart();
            return true;
        }

        /// <summary>How long so many steps take at this speed.</summary>
        public TimeSpan TimeLeft(long steps) => TimeSpan.FromSeconds(Math.Min(steps / Math.Max(_stepsPerSecond, 1e-3), 1e6));
    }
}
