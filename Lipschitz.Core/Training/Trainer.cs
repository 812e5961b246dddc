using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>Maximum likelihood by Adam, in the order of the reference: gradient, clip, step, norms, average.</summary>
/// <remarks>
/// The batch is cut into shards of fixed size. Each goes through a whole step on one thread; gradients are summed in the order of the
/// shards. With counter-based random numbers this makes every bit of the result independent of the number of threads.
/// </remarks>
public sealed class Trainer
{
    private const ulong TestSeed = 2; // one test set for every run of a data set; on moons its sample entropy is 2.393, near the 2.394 of the density
    private const int ReductionColumns = 8192;
    private readonly IBackend _backend;
    private readonly IPointSource _data;
    private readonly ShardStep[] _shards;
    private readonly Action<int> _runShard;
    private readonly Action<int> _reduce;
    private readonly Action<int> _pullBack;
    private readonly Action<int> _updateNorms;
    private readonly Tensor _gradient;
    private readonly Tensor _norm;
    private Flow? _inference;
    private uint _step; // of the step in progress, for the cached delegates

    /// <summary>A trainer at step 0 of a freshly initialised flow.</summary>
    /// <param name="configuration">What to train and how.</param>
    /// <param name="backend">Where to train.</param>
    /// <param name="data">What to fit.</param>
    /// <exception cref="ConfigurationException">The log-determinant's method does not take points of this width.</exception>
    public Trainer(Configuration configuration, IBackend backend, IPointSource data)
    {
        (Configuration, _backend, _data) = (configuration, backend, data);
        LogDetEstimator estimator = Estimator(configuration, data.Width);
        Flow = FlowFactory.Create(configuration, data.Width, backend);
        int batch = configuration.Training.Batch;
        InitialiseFromData(batch);
        Tensor values = Flow.Trained.Values;
        FirstMoment = backend.Allocate(1, values.Columns);
        SecondMoment = backend.Allocate(1, values.Columns);
        Average = backend.Allocate(1, values.Columns);
        backend.Copy(values, Average);
        _norm = backend.Allocate(1, 1);

        // As few shards as fit, of equal size: the slowest thread sets the time of a step.
        int shards = (batch + Flow.ShardRows - 1) / Flow.ShardRows;
        int rows = (batch + shards - 1) / shards;
        _shards = [.. Enumerable.Range(0, (batch + rows - 1) / rows).Select(
            i => new ShardStep(Flow, estimator, data, i * rows, Math.Min(rows, batch - (i * rows))))];
        _gradient = _shards[0].Gradient; // summed in place
        _runShard = i => _shards[i].Run(configuration.Seed, _step, 1.0 / batch);
        _reduce = Reduce;
        _pullBack = i => Flow.Bijections[i].PullBack(_gradient);
        _updateNorms = i =>
        {
            Flow.Bijections[i].UpdateNorms(configuration.Training.PowerIterations, configuration.Training.PowerTolerance);
            Flow.Bijections[i].Prepare();
        };
    }

    /// <summary>What is trained and how.</summary>
    public Configuration Configuration { get; }

    /// <summary>The flow in training.</summary>
    public Flow Flow { get; }

    /// <summary>Optimiser steps done.</summary>
    public long StepsDone { get; internal set; }

    /// <summary>Adam's first moment, flat.</summary>
    internal Tensor FirstMoment { get; }

    /// <summary>Adam's second moment, flat.</summary>
    internal Tensor SecondMoment { get; }

    /// <summary>The running average of the parameters, flat.</summary>
    internal Tensor Average { get; }

    /// <summary>Makes one optimiser step.</summary>
    /// <exception cref="NonFiniteException">
    /// The loss or the gradient is NaN or infinite; the message names the first place, and nothing was changed by this step.
    /// </exception>
    public StepReport Step()
    {
        TrainingSettings training = Configuration.Training;
        _step = checked((uint)StepsDone);
        _backend.Parallel(_shards.Length, _runShard);
        double loss = 0;
        foreach (ShardStep shard in _shards)
        {
            if (!double.IsFinite(shard.Loss))
            {
                throw new NonFiniteException($"step {StepsDone + 1}: {shard.DescribeNonFinite()}; try a smaller training.learningRate or training.clip=1.");
            }

            loss += shard.Loss / training.Batch;
        }

        _backend.Parallel((_gradient.Columns + ReductionColumns - 1) / ReductionColumns, _reduce);
        _backend.Parallel(Flow.Bijections.Count, _pullBack);
        if (StepsDone < training.HoldConcatenation)
        {
            HoldConcatenation();
        }

        _backend.Norm(_gradient, _norm);
        double norm = Scalar(_norm);
        if (!double.IsFinite(norm))
        {
            throw new NonFiniteException($"step {StepsDone + 1}: {FirstNonFiniteGradient()}; try a smaller training.learningRate or training.clip=1.");
        }

        double rate = LearningRate.At(training, StepsDone);
        // The average follows quickly at first, so that it never remembers the initial weights for long.
        double decay = training.AverageDecay == 0 ? 0 : Math.Min(training.AverageDecay, (1.0 + StepsDone) / (10 + StepsDone));
        double clip = training.Clip == 0 ? double.PositiveInfinity : training.Clip;
        _backend.Adam(
            Flow.Trained.Values, _gradient, FirstMoment, SecondMoment, Average, _norm, clip,
            new AdamStep(StepsDone + 1, rate, training.Beta1, training.Beta2, training.Epsilon, decay));
        _backend.Parallel(Flow.Bijections.Count, _updateNorms);
        StepsDone++;
        return new StepReport(StepsDone, loss, norm, rate);
    }

    /// <summary>
    /// The flow as it is used after training: averaged parameters where an average is kept, and norms found by as many power
    /// iterations as the evaluation settings ask for. The flow in training is not touched.
    /// </summary>
    public Flow InferenceFlow()
    {
        _inference ??= FlowFactory.Create(Configuration, _data.Width, _backend);
        for (int i = 0; i < Flow.Parameters.Count; i++)
        {
            _backend.Copy(Flow.Parameters[i].Value, _inference.Parameters[i].Value);
        }

        if (Configuration.Training.AverageDecay > 0)
        {
            _backend.Copy(Average, _inference.Trained.Values);
        }

        _inference.UpdateNorms(Configuration.Evaluation.PowerIterations);
        return _inference;
    }

    /// <summary>Tests <see cref="InferenceFlow"/> on the fixed test set of the data.</summary>
    /// <exception cref="NonFiniteException">Some density is not finite.</exception>
    public TestReport Test() => Test(InferenceFlow(), Configuration.Evaluation, _data, StepsDone);

    /// <summary>Tests a flow on the fixed test set of a data source.</summary>
    public static TestReport Test(Flow flow, EvaluationSettings evaluation, IPointSource data, long step = 0, int repeats = 1)
    {
        int count = Math.Min(evaluation.Points, data.TestRows ?? int.MaxValue);
        var points = new double[count * data.Width];
        data.Sample(new RandomKey(TestSeed, RandomPurpose.TestData), 0, points);
        LogProbResult result = flow.LogProb(points, EstimatorFactory.Create(evaluation.LogDet), TestSeed, repeats);
        double mean = result.Values.Average();
        double variance = result.Values.Sum(value => (value - mean) * (value - mean)) / (count - 1);
        return new TestReport(step, -mean, Math.Sqrt(variance / count), count, result.Kind);
    }

    /// <summary>Restores the derived state after parameters were loaded.</summary>
    internal void AfterRestore() => Flow.Prepare();

    // Estimators for small dimensions only are refused here, not in the midst of a step.
    private static LogDetEstimator Estimator(Configuration configuration, int width)
    {
        try
        {
            LogDetEstimator estimator = EstimatorFactory.Create(configuration.LogDet);
            estimator.CotangentCount(width);
            return estimator;
        }
        catch (NotSupportedException e)
        {
            throw new ConfigurationException($"logDet: {e.Message}");
        }
    }

    private void InitialiseFromData(int batch)
    {
        if (Configuration.Model.ActNorm)
        {
            var points = new double[batch * _data.Width];
            _data.Sample(new RandomKey(Configuration.Seed, RandomPurpose.TrainingData), 0, points);
            Flow.Initialise(points);
        }
    }

    private void Reduce(int part)
    {
        int start = part * ReductionColumns;
        int columns = Math.Min(ReductionColumns, _gradient.Columns - start);
        Tensor sum = _gradient.ColumnRange(start, columns);
        for (int i = 1; i < _shards.Length; i++)
        {
            _backend.Axpby(1, _shards[i].Gradient.ColumnRange(start, columns), 1, sum);
        }
    }

    private void HoldConcatenation()
    {
        foreach (Parameter parameter in Flow.Trained.Parameters)
        {
            if (parameter.Role == ParameterRole.Concatenation)
            {
                _backend.Fill(parameter.In(_gradient), 0);
            }
        }
    }

    private string FirstNonFiniteGradient()
    {
        foreach (Parameter parameter in Flow.Trained.Parameters)
        {
            if (!_backend.AllFinite(parameter.In(_gradient)))
            {
                return $"the gradient of {parameter.Name} is not finite";
            }
        }

        return "the norm of the gradient overflows";
    }

    private double Scalar(Tensor tensor)
    {
        Span<double> value = stackalloc double[1];
        _backend.Download(tensor, value);
        return value[0];
    }
}
