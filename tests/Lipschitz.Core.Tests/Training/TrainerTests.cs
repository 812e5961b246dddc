using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

public class TrainerTests
{
    [Fact]
    public void The_loss_falls()
    {
        Trainer trainer = TinyRun.Create(TinyRun.Configuration with
        {
            Model = TinyRun.Configuration.Model with { Coefficient = 0.97, Growth = 12 },
            LogDet = new LogDetSettings { Method = LogDetMethod.Exact },
            Training = TinyRun.Configuration.Training with { Steps = 120, LearningRate = 2e-2, Clip = 0 },
        });
        double before = trainer.Test().NegativeLogLikelihood;
        TinyRun.Run(trainer, 120);
        TestReport after = trainer.Test();
        Assert.True(after.NegativeLogLikelihood < before - 0.1, $"{before} -> {after.NegativeLogLikelihood}");
        Assert.True(after.NegativeLogLikelihood > new Moons().Entropy - (4 * after.StandardError));
        Assert.Equal((120, 300, LogDetKind.Exact), (after.Step, after.Points, after.Kind));
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_another_seed_others()
    {
        Trainer first = TinyRun.Create(TinyRun.Configuration), second = TinyRun.Create(TinyRun.Configuration);
        Trainer other = TinyRun.Create(TinyRun.Configuration with { Seed = 4 });
        TinyRun.Run(first, 5);
        TinyRun.Run(second, 5);
        TinyRun.Run(other, 5);
        Assert.Equal(TinyRun.State(first), TinyRun.State(second));
        Assert.NotEqual(TinyRun.State(first), TinyRun.State(other));
    }

    [Fact]
    public void Testing_in_between_does_not_disturb_training()
    {
        Trainer tested = TinyRun.Create(TinyRun.Configuration), quiet = TinyRun.Create(TinyRun.Configuration);
        for (int i = 0; i < 5; i++)
        {
            double[] before = TinyRun.State(tested);
            tested.Test();
            tested.InferenceFlow().LogProb([0.5, 0.5], new ExactDeterminant());
            Assert.Equal(before, TinyRun.State(tested));
            tested.Step();
            quiet.Step();
        }

        Assert.Equal(TinyRun.State(quiet), TinyRun.State(tested));
    }

    [Fact]
    public void The_loss_is_that_of_the_whole_batch_in_any_number_of_shards()
    {
        Configuration exact = TinyRun.Configuration with { LogDet = new LogDetSettings { Method = LogDetMethod.Exact } };
        Trainer trainer = TinyRun.Create(exact, Precision.Float64);
        var points = new double[2 * TinyRun.Batch];
        new Moons().Sample(new RandomKey(exact.Seed, RandomPurpose.TrainingData, 0), 0, points);
        double expected = -trainer.Flow.LogProb(points, new ExactDeterminant()).Values.Average();
        Assert.Equal(expected, trainer.Step().Loss, 1e-12);
    }

    [Fact]
    public void Steps_follow_Adam_with_the_scheduled_rate_and_the_clipped_gradient()
    {
        const double Clip = 0.05;
        Trainer trainer = TinyRun.Create(training => training with { Clip = Clip });
        TrainingSettings settings = trainer.Configuration.Training;
        for (int step = 1; step <= 6; step++)
        {
            double[] before = Values(trainer), m0 = TinyRun.Read(trainer, trainer.FirstMoment), v0 = TinyRun.Read(trainer, trainer.SecondMoment);
            StepReport report = trainer.Step();
            double[] after = Values(trainer), m1 = TinyRun.Read(trainer, trainer.FirstMoment), v1 = TinyRun.Read(trainer, trainer.SecondMoment);
            Assert.Equal((step, LearningRate.At(settings, step - 1)), (report.Step, report.LearningRate));
            double c1 = 1 - Math.Pow(settings.Beta1, step), c2 = 1 - Math.Pow(settings.Beta2, step), squares = 0;
            for (int i = 0; i < before.Length; i++)
            {
                double gradient = (m1[i] - (settings.Beta1 * m0[i])) / (1 - settings.Beta1);
                squares += gradient * gradient;
                Assert.Equal((settings.Beta2 * v0[i]) + ((1 - settings.Beta2) * gradient * gradient), v1[i], 1e-15);
                Assert.Equal(before[i] - (report.LearningRate * m1[i] / c1 / (Math.Sqrt(v1[i] / c2) + settings.Epsilon)), after[i], 1e-12);
            }

            Assert.True(report.GradientNorm > Clip);
            Assert.Equal(Clip, Math.Sqrt(squares), 1e-9);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    public void The_average_follows_the_parameters_quickly_first_and_with_its_decay_later(double muonRate)
    {
        Trainer trainer = TinyRun.Create(training => training with { AverageDecay = 0.3, MuonRate = muonRate });
        double[] expected = Values(trainer);
        for (int step = 0; step < 5; step++)
        {
            double decay = Math.Min(0.3, (1.0 + step) / (10 + step));
            trainer.Step();
            expected = [.. expected.Zip(Values(trainer), (average, value) => (decay * average) + ((1 - decay) * value))];
            double[] actual = TinyRun.Read(trainer, trainer.Average);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-14));
        }

        Assert.Equal(TinyRun.Read(trainer, trainer.Average), Values(trainer.InferenceFlow()));
        Assert.NotEqual(Values(trainer), Values(trainer.InferenceFlow()));
    }

    [Fact]
    public void Without_an_average_the_parameters_themselves_are_used()
    {
        Trainer trainer = TinyRun.Create(training => training with { AverageDecay = 0 });
        TinyRun.Run(trainer, 2);
        Assert.Equal(Values(trainer), Values(trainer.InferenceFlow()));
    }

    [Fact]
    public void The_concatenation_is_held_for_the_steps_asked_for_and_learned_after()
    {
        Trainer trainer = TinyRun.Create(training => training with { HoldConcatenation = 3 });
        double[] start = TinyRun.Read(trainer, ParameterRole.Concatenation);
        for (int step = 1; step <= 3; step++)
        {
            double[] weights = TinyRun.Read(trainer, ParameterRole.Weight);
            trainer.Step();
            Assert.Equal(start, TinyRun.Read(trainer, ParameterRole.Concatenation));
            Assert.NotEqual(weights, TinyRun.Read(trainer, ParameterRole.Weight));
        }

        trainer.Step();
        Assert.All(start.Zip(TinyRun.Read(trainer, ParameterRole.Concatenation)), pair => Assert.NotEqual(pair.First, pair.Second));
    }

    [Fact]
    public void The_rate_warms_up_and_then_follows_half_a_cosine()
    {
        TrainingSettings settings = TinyRun.Configuration.Training with
        {
            LearningRate = 0.1,
            WarmupSteps = 4,
            Steps = 104,
            Schedule = ScheduleKind.Cosine,
        };
        Assert.Equal([0.025, 0.05, 0.075, 0.1], Enumerable.Range(0, 4).Select(step => LearningRate.At(settings, step)), Near);
        Assert.Equal([0.1, 0.05, 0, 0], new long[] { 4, 54, 104, 5000 }.Select(step => LearningRate.At(settings, step)), Near);
        Assert.Equal(0.1, LearningRate.At(settings with { Schedule = ScheduleKind.Constant }, 90));
        Assert.Equal(0.1, LearningRate.At(settings with { WarmupSteps = 0 }, 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    public void A_step_that_would_not_be_finite_changes_nothing_and_names_the_place(double muonRate)
    {
        Trainer trainer = TinyRun.Create(training => training with { MuonRate = muonRate }, Precision.Float32);
        TinyRun.Run(trainer, 2);
        Parameter bias = trainer.Flow.Blocks.Last().Parameters.First(p => p.Role == ParameterRole.Bias);
        trainer.Flow.Backend.Fill(bias.Value, double.NaN);
        double[] before = TinyRun.State(trainer);
        NonFiniteException failure = Assert.Throws<NonFiniteException>(() => trainer.Step());
        Assert.Contains("blocks.1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("step 3", failure.Message, StringComparison.Ordinal);
        Assert.Equal(muonRate > 0, failure.Message.Contains("training.muonRate", StringComparison.Ordinal));
        Assert.Equal(before, TinyRun.State(trainer));
    }

    [Fact]
    public void A_finite_set_of_points_is_trained_on_and_tested_with_what_was_held_out()
    {
        var points = new double[2 * 200];
        new Moons().Sample(new RandomKey(1, RandomPurpose.Test), 0, points);
        var trainer = new Trainer(TinyRun.Configuration, ReferenceBackend.Create(Precision.Float32), new ArrayPoints(points, 2));
        TinyRun.Run(trainer, 2);
        Assert.Equal(20, trainer.Test().Points);
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-15;

    private static double[] Values(Trainer trainer) => TinyRun.Read(trainer, trainer.Flow.Trained.Values);

    private static double[] Values(Flow flow)
    {
        var values = new double[flow.Trained.Values.Count];
        flow.Backend.Download(flow.Trained.Values, values);
        return values;
    }
}
