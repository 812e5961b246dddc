using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;

namespace Lipschitz.Training;

/// <summary>Tests flows on the fixed test set of their data.</summary>
public static class FlowTest
{
    private const ulong TestSeed = 2; // one test set for every run of a data set; on moons its sample entropy is 2.393, near the 2.394 of the density

    /// <summary>Log-likelihoods and, where the flow has a head, classes of held-out points.</summary>
    /// <param name="flow">What to test.</param>
    /// <param name="configuration">Its task, the number of points and the estimator.</param>
    /// <param name="data">Where the points come from.</param>
    /// <param name="step">Steps done, for the report.</param>
    /// <param name="repeats">Independent estimates of each log p(x), averaged.</param>
    /// <param name="seed">The seed of a random estimator; null for that of the test set.</param>
    /// <exception cref="NonFiniteException">Some density is not finite.</exception>
    public static TestReport Run(Flow flow, Configuration configuration, IPointSource data, long step = 0, int repeats = 1, ulong? seed = null)
    {
        EvaluationSettings evaluation = configuration.Evaluation;
        var objective = Objective.Of(configuration.Task, data.Width);
        int count = Math.Min(evaluation.Points, data.TestRows ?? int.MaxValue);
        var points = new double[checked(count * data.Width)];
        var key = new RandomKey(TestSeed, RandomPurpose.TestData);
        data.Sample(key, 0, points);
        LogDetEstimator estimator = EstimatorFactory.Create(evaluation.LogDet);
        var report = new TestReport(step, double.NaN, double.NaN, count, estimator.Kind);
        if (objective.HasDensity)
        {
            LogProbResult result = flow.LogProb(points, estimator, seed ?? TestSeed, repeats);
            (double mean, double error) = MeanAndError(result.Values);
            report = report with
            {
                NegativeLogLikelihood = -mean,
                StandardError = error,
                Bits = data is PictureSource ? BitsPerDim.Of(-mean, error, data.Width) : null,
                RepeatError = result.RepeatMeans is { } means ? MeanAndError(means).Error : null,
            };
        }

        if (objective.HasClasses && data is ILabelledSource labelled)
        {
            var labels = new int[count];
            labelled.Labels(key, 0, labels);
            report = report with { Classes = Classify(flow.Logits(points), labels) };
        }

        return report with { Loss = objective.Loss(report.NegativeLogLikelihood, report.Classes?.CrossEntropy ?? double.NaN) };
    }

    private static ClassReport Classify(double[] logits, int[] labels)
    {
        int classes = logits.Length / labels.Length;
        var losses = new double[labels.Length];
        int correct = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            ReadOnlySpan<double> row = logits.AsSpan(i * classes, classes);
            correct += Largest(row) == labels[i] ? 1 : 0;
            double most = row[Largest(row)], sum = 0;
            foreach (double logit in row)
            {
                sum += Math.Exp(logit - most);
            }

            losses[i] = most + Math.Log(sum) - row[labels[i]];
        }

        double accuracy = (double)correct / labels.Length;
        (double mean, double error) = MeanAndError(losses);
        return new ClassReport(accuracy, Math.Sqrt(accuracy * (1 - accuracy) / labels.Length), mean, error);
    }

    /// <summary>The index of the largest number, the first of equals.</summary>
    internal static int Largest(ReadOnlySpan<double> row)
    {
        int largest = 0;
        for (int i = 1; i < row.Length; i++)
        {
            largest = row[i] > row[largest] ? i : largest;
        }

        return largest;
    }

    private static (double Mean, double Error) MeanAndError(double[] values)
    {
        double mean = values.Average();
        double variance = values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1);
        return (mean, Math.Sqrt(variance / values.Length));
    }
}
