using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Core.Tests.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

/// <summary>Classification and hybrid training on tiny pictures, and bits per dimension.</summary>
public class TaskTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData(TaskKind.Classification, false)]
    [InlineData(TaskKind.Hybrid, false)]
    [InlineData(TaskKind.Hybrid, true)]
    public void The_gradient_is_that_of_the_loss(TaskKind? kind, bool factorOut)
    {
        Configuration configuration = TinyPictures.Configure(kind, factorOut);
        Trainer trainer = TinyPictures.Create(configuration, Precision.Float64);
        Flow flow = trainer.Flow;
        Scatter(flow);
        (double[] x, int[] labels) = FirstBatch(configuration);

        double loss = Loss(configuration, flow, x, labels);
        double[][] expected = [.. flow.Trained.Parameters.Select(parameter => Slopes(flow, parameter, () => Loss(configuration, flow, x, labels)))];
        StepReport report = trainer.Step();
        Assert.Equal(loss, report.Loss, 1e-9);
        double[] moment = trainer.FirstMoment.Read();
        for (int i = 0; i < expected.Length; i++)
        {
            Parameter parameter = flow.Trained.Parameters[i];
            double[] actual = [.. moment.AsSpan(parameter.Offset, parameter.Value.Count).ToArray().Select(m => m / (1 - configuration.Training.Beta1))];
            foreach ((int k, double slope) in Places(parameter).Zip(expected[i]))
            {
                double tolerance = 2e-6 * (1 + Math.Abs(slope));
                Assert.True(Math.Abs(slope - actual[k]) < tolerance, $"{parameter.Name}[{k}]: {slope} by differences, {actual[k]}");
            }
        }
    }

    [Fact]
    public void The_hybrid_loss_is_the_weighted_bits_of_picture_and_class()
    {
        Configuration configuration = TinyPictures.Configure(TaskKind.Hybrid, false);
        StepReport report = TinyPictures.Create(configuration, Precision.Float64).Step();
        double bits = 16 * BitsPerDim.FromNats(report.NegativeLogLikelihood!.Value, 16);
        Assert.Equal((0.25 * bits) + (report.CrossEntropy!.Value / Math.Log(2)), report.Loss, 1e-9);
        StepReport classes = TinyPictures.Create(TinyPictures.Configure(TaskKind.Classification, false), Precision.Float64).Step();
        Assert.Null(classes.NegativeLogLikelihood);
        Assert.Equal(classes.CrossEntropy!.Value / Math.Log(2), classes.Loss, 1e-12);
    }

    [Fact]
    public void A_logit_that_is_not_finite_is_named_in_training_and_in_use()
    {
        Configuration configuration = TinyPictures.Configure(TaskKind.Hybrid, false);
        Trainer trainer = TinyPictures.Create(configuration, Precision.Float64);
        (double[] x, _) = FirstBatch(configuration);
        trainer.Flow.Backend.Fill(trainer.Flow.Head!.Parameters.Last(parameter => parameter.Role == ParameterRole.Bias).Value, double.PositiveInfinity);
        NonFiniteException use = Assert.Throws<NonFiniteException>(() => trainer.Flow.Logits(x));
        Assert.Equal(("a logit of the classification head is not finite (row 0, counted from 0)", 0), (use.Message, use.Row));
        Assert.Contains(use.Message, Assert.Throws<NonFiniteException>(() => trainer.Step()).Message, StringComparison.Ordinal);
        x[^1] = double.NaN;
        Assert.Contains("the input is not finite (row 5,", Assert.Throws<NonFiniteException>(() => trainer.Flow.Logits(x)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Classes_are_learned_and_tested_with_their_standard_error()
    {
        Configuration configuration = TinyPictures.Configure(TaskKind.Classification, false);
        configuration = configuration with { Training = configuration.Training with { Batch = 32, LearningRate = 2e-2 } };
        Trainer trainer = TinyPictures.Create(configuration, Precision.Float32);
        TinyRun.Run(trainer, 60);
        TestReport test = trainer.Test();
        Assert.True(double.IsNaN(test.NegativeLogLikelihood));
        Assert.Null(test.Bits);
        ClassReport classes = test.Classes!.Value;
        Assert.InRange(classes.Accuracy, 0.9, 1);
        Assert.Equal(Math.Sqrt(classes.Accuracy * (1 - classes.Accuracy) / test.Points), classes.AccuracyError, 1e-12);
        Assert.Equal(classes.CrossEntropy / Math.Log(2), test.Loss, 1e-12);
    }

    [Fact]
    public void A_hybrid_model_is_saved_with_its_head_and_resumed_bit_for_bit()
    {
        Configuration configuration = TinyPictures.Configure(TaskKind.Hybrid, false);
        Trainer whole = TinyPictures.Create(configuration, Precision.Float32), parts = TinyPictures.Create(configuration, Precision.Float32);
        TinyRun.Run(whole, 6);
        TinyRun.Run(parts, 3);
        string folder = Directory.CreateTempSubdirectory("lipschitz-task").FullName;
        try
        {
            RunDirectory run = RunDirectory.Create(Path.Combine(folder, "run"), configuration);
            run.SaveTraining(parts);
            Trainer resumed = TinyPictures.Create(RunDirectory.Open(run.Path).Configuration, Precision.Float32);
            Assert.True(run.TryRestore(resumed));
            TinyRun.Run(resumed, 3);
            Assert.Equal(TinyRun.State(whole), TinyRun.State(resumed));
            run.SaveModel(resumed);
            (double[] x, _) = FirstBatch(configuration);
            Assert.Equal(resumed.InferenceFlow().Logits(x), run.LoadFlow(ReferenceBackend.Create(Precision.Float32)).Logits(x));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_task_needs_labels_and_pictures()
    {
        Configuration configuration = TinyPictures.Configure(TaskKind.Hybrid, false);
        var unlabelled = new PictureSource(TinyPictures.Pictures(labelled: false), TinyPictures.Batch);
        IBackend backend = ReferenceBackend.Create(Precision.Float32);
        Assert.Contains("labels", Assert.Throws<ConfigurationException>(() => new Trainer(configuration, backend, unlabelled)).Message, StringComparison.Ordinal);
        Configuration points = TinyRun.Configuration with { Task = configuration.Task };
        Assert.Contains("pictures", Assert.Throws<ConfigurationException>(() => FlowFactory.Create(points, 2, backend)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bits_per_dimension_of_a_uniform_density_are_eight()
    {
        Assert.Equal(8, BitsPerDim.FromNats(0, 3072), 1e-12); // density 1 on [0, 1]^D
        Assert.Equal(new BitsPerDim(8 + (1 / Math.Log(2)), 0.5 / Math.Log(2)), BitsPerDim.Of(10, 5, 10));
        TestReport test = TinyPictures.Create(TinyPictures.Configure(null, false), Precision.Float32).Test();
        Assert.Equal(BitsPerDim.FromNats(test.NegativeLogLikelihood, 16), test.Bits!.Value.Value, 1e-12);
    }

    [Fact]
    public void Repeats_tell_the_error_that_the_estimator_leaves()
    {
        Configuration configuration = TinyPictures.Configure(null, false);
        configuration = configuration with
        {
            Evaluation = configuration.Evaluation with { LogDet = new LogDetSettings { Method = LogDetMethod.Roulette, ExactTerms = 2 } },
        };
        Trainer trainer = TinyPictures.Create(configuration, Precision.Float64);
        PictureSource data = TinyPictures.Data();
        Assert.Null(FlowTest.Run(trainer.InferenceFlow(), configuration, data).RepeatError);
        TestReport test = FlowTest.Run(trainer.InferenceFlow(), configuration, data, repeats: 40);
        Configuration exact = configuration with { Evaluation = configuration.Evaluation with { LogDet = new LogDetSettings { Method = LogDetMethod.Exact } } };
        double truth = FlowTest.Run(trainer.InferenceFlow(), exact, data).NegativeLogLikelihood;
        Assert.InRange(Math.Abs(truth - test.NegativeLogLikelihood), 0, 4.5 * test.RepeatError!.Value);
        Assert.InRange(test.RepeatError.Value, 1e-6, 1);
    }

    private static void Scatter(Flow flow)
    {
        var random = new Random(5);
        foreach (Parameter parameter in flow.Parameters.Where(p => p.Role is not (ParameterRole.SingularVector or ParameterRole.ActNorm)))
        {
            double[] values = parameter.Value.Read();
            flow.Backend.Upload([.. values.Zip(Differences.Normal(random, values.Length), (value, noise) => value + (0.1 * noise))], parameter.Value);
        }

        flow.UpdateNorms(1000);
    }

    private static (double[] X, int[] Labels) FirstBatch(Configuration configuration)
    {
        var key = new RandomKey(configuration.Seed, RandomPurpose.TrainingData, 0);
        PictureSource data = TinyPictures.Data();
        var x = new double[TinyPictures.Batch * data.Width];
        var labels = new int[TinyPictures.Batch];
        data.Sample(key, 0, x);
        data.Labels(key, 0, labels);
        return (x, labels);
    }

    private static double Loss(Configuration configuration, Flow flow, double[] x, int[] labels)
    {
        double bit = 1 / Math.Log(2), loss = 0;
        if (configuration.Task?.Kind != TaskKind.Classification)
        {
            double nats = -flow.LogProb(x, new ExactDeterminant()).Values.Average();
            loss += configuration.Task is { } task ? task.Weight * 16 * BitsPerDim.FromNats(nats, 16) : nats;
        }

        if (configuration.Task is not null)
        {
            foreach ((double[] logits, int label) in flow.Logits(x).Chunk(3).Zip(labels))
            {
                loss += bit * (Math.Log(logits.Sum(Math.Exp)) - logits[label]) / TinyPictures.Batch;
            }
        }

        return loss;
    }

    // Some ten elements of each parameter.
    private static IEnumerable<int> Places(Parameter parameter) =>
        Enumerable.Range(0, parameter.Value.Count).Where(place => place % ((parameter.Value.Count + 9) / 10) == 0);

    private static double[] Slopes(Flow flow, Parameter parameter, Func<double> loss)
    {
        double[] original = parameter.Value.Read();
        double[] slopes = [.. Places(parameter).Select(place => Differences.Gradient(
            value =>
            {
                double[] values = [.. original];
                values[place] = value[0];
                flow.Backend.Upload(values, parameter.Value);
                flow.Prepare();
                return loss();
            },
            [original[place]])[0])];
        flow.Backend.Upload(original, parameter.Value);
        flow.Prepare();
        return slopes;
    }
}
