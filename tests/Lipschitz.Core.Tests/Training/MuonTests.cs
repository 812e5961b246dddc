using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Layers;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Core.Tests.Training;

public class MuonTests
{
    private const double Rate = 0.1;
    private static readonly IBackend s_backend = ReferenceBackend.Create(Precision.Float64);

    /// <summary>U diag(s) V' becomes U diag(q(s/|s|)) V' with q five times the polynomial, for wide, tall, square and thin matrices.</summary>
    [Theory]
    [InlineData(4, 9)]
    [InlineData(9, 4)]
    [InlineData(5, 5)]
    [InlineData(1, 6)]
    [InlineData(6, 1)]
    [InlineData(2, 2)]
    public void Singular_vectors_stay_and_singular_values_come_near_1(int rows, int columns)
    {
        var random = new Random(rows + (100 * columns));
        int rank = Math.Min(rows, columns);
        double[][] u = Orthonormal(random, rank, rows), v = Orthonormal(random, rank, columns);
        double[] s = [.. Enumerable.Range(0, rank).Select(i => 30 / Math.Pow(2, i))];
        double norm = Math.Sqrt(s.Sum(x => x * x));
        double[] expected = [.. s.Select(x => Polynomial(x / norm))];
        Assert.All(expected, x => Assert.InRange(x, 0.68, 1.21));

        double[] actual = Orthogonalised(Sum(u, s, v), rows, columns);
        Assert.All(Sum(u, expected, v).Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }

    [Fact]
    public void The_size_of_a_gradient_does_not_matter_but_one_of_nothing_makes_no_step()
    {
        double[] x = [1, -2, 3, 0.5, 0.25, -1];
        double[] of(double scale) => Orthogonalised([.. x.Select(value => value * scale)], 2, 3);
        double[] one = of(1);
        Assert.All(one.Zip(of(1e6)), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
        Assert.All(one.Zip(of(1e-10)), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        Assert.All(of(0), value => Assert.Equal(0, value));
        Assert.All(of(1e-30), value => Assert.InRange(Math.Abs(value), 0, 1e-12));
    }

    [Fact]
    public void Weights_step_along_the_orthogonal_factor_of_their_momentum_and_all_else_by_Adam()
    {
        const double Momentum = 0.8;
        Trainer trainer = TinyRun.Create(training => training with { MuonRate = Rate, MuonMomentum = Momentum, HoldConcatenation = 0 });
        TrainingSettings settings = trainer.Configuration.Training;
        for (int step = 0; step < 5; step++)
        {
            double[][] before = Weights(trainer, parameter => parameter.Value), oldMomenta = Weights(trainer, parameter => parameter.In(trainer.Momentum!.Value));
            double[] biases = TinyRun.Read(trainer, ParameterRole.Bias);
            StepReport report = trainer.Step();
            double[][] after = Weights(trainer, parameter => parameter.Value), momenta = Weights(trainer, parameter => parameter.In(trainer.Momentum!.Value));
            double rate = Rate * report.LearningRate / settings.LearningRate;
            Parameter[] weights = WeightsOf(trainer);
            for (int i = 0; i < weights.Length; i++)
            {
                double[] blend = [.. momenta[i].Zip(oldMomenta[i], (m, old) => (m - (Momentum * old)) + (Momentum * m))];
                double[] direction = Orthogonalised(blend, weights[i].Value.Rows, weights[i].Value.Columns);
                double[] expected = [.. before[i].Zip(direction, (weight, d) => weight - (rate * d))];
                Assert.All(expected.Zip(after[i]), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
            }

            Assert.NotEqual(biases, TinyRun.Read(trainer, ParameterRole.Bias));
            Assert.All(Weights(trainer, parameter => parameter.In(trainer.FirstMoment)), moment => Assert.All(moment, value => Assert.Equal(0, value)));
        }
    }

    /// <summary>The first gradient is that of a twin without Muon, so the momentum is it, clipped, and all that is no weight goes where the twin's goes.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    public void The_first_momentum_is_the_clipped_gradient_and_the_rest_steps_as_without_Muon(double clip)
    {
        Trainer plain = TinyRun.Create(training => training with { Clip = clip, HoldConcatenation = 0 });
        Trainer trainer = TinyRun.Create(training => training with { Clip = clip, HoldConcatenation = 0, MuonRate = Rate });
        StepReport expected = plain.Step(), actual = trainer.Step();
        Assert.Equal(expected, actual);
        Assert.True(actual.GradientNorm > 0.05);
        foreach ((Parameter other, Parameter parameter) in plain.Flow.Trained.Parameters.Zip(trainer.Flow.Trained.Parameters))
        {
            double[] momentum = TinyRun.Read(trainer, parameter.In(trainer.Momentum!.Value));
            if (parameter.Role == ParameterRole.Weight)
            {
                double[] gradient = [.. TinyRun.Read(plain, other.In(plain.FirstMoment)).Select(m => m / (1 - plain.Configuration.Training.Beta1))];
                Assert.All(gradient.Zip(momentum), pair => Assert.Equal(pair.First, pair.Second, 1e-14));
                Assert.Contains(momentum, value => value != 0);
            }
            else
            {
                Assert.Equal(TinyRun.Read(plain, other.Value), TinyRun.Read(trainer, parameter.Value));
                Assert.All(momentum, value => Assert.Equal(0, value));
            }
        }
    }

    [Fact]
    public void Weights_that_are_held_to_no_norm_stay_with_Adam()
    {
        Trainer trainer = OnPictures(TaskKind.Hybrid);
        trainer.Step();
        Parameter[] free = [.. WeightsOf(trainer).Where(parameter => !parameter.IsNormalised)], held = [.. WeightsOf(trainer).Except(free)];
        Assert.All(free, parameter => Assert.StartsWith("head.", parameter.Name, StringComparison.Ordinal));
        Assert.All(held, parameter => Assert.StartsWith("blocks.", parameter.Name, StringComparison.Ordinal));
        Assert.NotEmpty(held);
        Assert.NotEmpty(free);
        Assert.All(free, parameter => Assert.Contains(TinyRun.Read(trainer, parameter.In(trainer.FirstMoment)), value => value != 0));
        Assert.All(free, parameter => Assert.All(TinyRun.Read(trainer, parameter.In(trainer.Momentum!.Value)), value => Assert.Equal(0, value)));
        Assert.All(held, parameter => Assert.All(TinyRun.Read(trainer, parameter.In(trainer.FirstMoment)), value => Assert.Equal(0, value)));
    }

    [Fact]
    public void Without_a_rate_there_is_no_Muon()
    {
        Assert.Null(TinyRun.Create(TinyRun.Configuration).Momentum);
        Assert.Equal(0, TinyRun.Configuration.Training.MuonRate);
    }

    /// <summary>All taps of an output are one row: rows of the step are then orthogonal, which they would not be in another order.</summary>
    [Fact]
    public void The_weight_of_a_convolution_counts_as_one_row_an_output()
    {
        Trainer trainer = OnPictures(null);
        Parameter weight = WeightsOf(trainer).First(parameter => parameter.Taps == 9);
        int outputs = weight.Value.Rows / 9, width = 9 * weight.Value.Columns;
        Assert.InRange(outputs, 2, width - 1);
        double[] before = TinyRun.Read(trainer, weight.Value);
        trainer.Step();
        double[] step = [.. before.Zip(TinyRun.Read(trainer, weight.Value), (old, value) => (old - value) / Rate)];
        double[][] rows = [.. Enumerable.Range(0, outputs).Select(o => step[(o * width)..((o + 1) * width)])];

        // The Gram matrix of what has singular values in [0.68, 1.21] has its eigenvalues in [0.46, 1.47].
        double trace = rows.Sum(row => Dot(row, row));
        Assert.InRange(trace / outputs, 0.46, 1.47);
        for (int trial = 0; trial < 20; trial++)
        {
            double[] direction = Orthonormal(new Random(trial), 1, outputs)[0];
            double[] image = [.. Enumerable.Range(0, width).Select(j => rows.Select((row, o) => direction[o] * row[j]).Sum())];
            Assert.InRange(Dot(image, image), 0.46, 1.47);
        }
    }

    [Fact]
    public void The_loss_falls()
    {
        Trainer trainer = TinyRun.Create(TinyRun.Configuration with
        {
            Model = TinyRun.Configuration.Model with { Coefficient = 0.97, Growth = 12 },
            LogDet = new LogDetSettings { Method = LogDetMethod.Exact },
            Training = TinyRun.Configuration.Training with { Steps = 60, MuonRate = Rate, LearningRate = 2e-2, Clip = 0 },
        });
        double before = trainer.Test().NegativeLogLikelihood;
        TinyRun.Run(trainer, 60);
        TestReport after = trainer.Test();
        Assert.True(after.NegativeLogLikelihood < before - 0.1, $"{before} -> {after.NegativeLogLikelihood}");
        Assert.True(after.NegativeLogLikelihood > new Moons().Entropy - (4 * after.StandardError));
    }

    private static Trainer OnPictures(TaskKind? kind)
    {
        Configuration configuration = TinyPictures.Configure(kind, factorOut: false);
        return TinyPictures.Create(configuration with { Training = configuration.Training with { MuonRate = Rate } }, Precision.Float64);
    }

    private static Parameter[] WeightsOf(Trainer trainer) =>
        [.. trainer.Flow.Trained.Parameters.Where(parameter => parameter.Role == ParameterRole.Weight)];

    private static double[][] Weights(Trainer trainer, Func<Parameter, Tensor> part) =>
        [.. WeightsOf(trainer).Select(parameter => TinyRun.Read(trainer, part(parameter)))];

    private static double[] Orthogonalised(double[] values, int rows, int columns)
    {
        Tensor x = s_backend.Allocate(rows, columns);
        s_backend.Upload(values, x);
        Muon.Orthogonalise(s_backend, x);
        var result = new double[values.Length];
        s_backend.Download(x, result);
        return result;
    }

    private static double Polynomial(double s)
    {
        for (int i = 0; i < 5; i++)
        {
            s = (3.4445 * s) - (4.7750 * Math.Pow(s, 3)) + (2.0315 * Math.Pow(s, 5));
        }

        return s;
    }

    // sum_k s_k u_k v_k', row by row.
    private static double[] Sum(double[][] u, double[] s, double[][] v)
    {
        var matrix = new double[u[0].Length * v[0].Length];
        for (int i = 0; i < matrix.Length; i++)
        {
            for (int k = 0; k < s.Length; k++)
            {
                matrix[i] += s[k] * u[k][i / v[0].Length] * v[k][i % v[0].Length];
            }
        }

        return matrix;
    }

    // Gram and Schmidt on random vectors.
    private static double[][] Orthonormal(Random random, int count, int length)
    {
        var vectors = new List<double[]>();
        while (vectors.Count < count)
        {
            double[] vector = [.. Enumerable.Range(0, length).Select(_ => random.NextDouble() - 0.5)];
            foreach (double[] other in vectors)
            {
                double along = Dot(vector, other);
                vector = [.. vector.Zip(other, (x, y) => x - (along * y))];
            }

            double norm = Math.Sqrt(Dot(vector, vector));
            vectors.Add([.. vector.Select(x => x / norm)]);
        }

        return [.. vectors];
    }

    private static double Dot(double[] x, double[] y) => x.Zip(y, (a, b) => a * b).Sum();
}
