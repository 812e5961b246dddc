using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.LogDet;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Training;

/// <summary>Maximum likelihood by Adam, weights by Muon where asked for, in the order of the reference: gradient, clip, step, norms, average.</summary>
/// <remarks>
/// The batch is cut into shards of fixed size. Each goes through a whole step on one thread, and their gradients are summed in order. With
/// counter-based random numbers this makes every bit of the result independent of the number of threads.
/// </remarks>
public sealed class Trainer
{
    private readonly IBackend _backend;
    private readonly IPointSource _data;
    private readonly BatchGradient _batch;
    private readonly Action _pullBack;
    private readonly Action _updateNorms;
    private readonly Tensor _gradient;
    private readonly Tensor _norm;
    private readonly Muon? _muon;
    private Flow? _inference;
    private long _inferenceStep = -1;

    /// <summary>A trainer at step 0 of a freshly initialised flow.</summary>
    /// <param name="configuration">What to train and how.</param>
    /// <param name="backend">Where to train.</param>
    /// <param name="data">What to fit.</param>
    /// <exception cref="ConfigurationException">
    /// The log-determinant's method does not take points of this width, or the task needs labels that the data lacks.
    /// </exception>
    public Trainer(Configuration configuration, IBackend backend, IPointSource data)
    {
        (Configuration, _backend, _data) = (configuration, backend, data);
        Objective objective = Objective.Of(configuration.Task, data.Width);
        LogDetEstimator estimator = objective.HasDensity ? Estimator(configuration, data.Width) : new NoLogDeterminant();
        ThrowUnlessLabelled(configuration.Task, data);
        Flow = FlowFactory.Create(configuration, data.Width, backend);
        int batch = configuration.Training.Batch;
        InitialiseFromData(Flow.InitialisationRows(batch));
        Tensor values = Flow.Trained.Values;
        FirstMoment = backend.Allocate(1, values.Columns);
        SecondMoment = backend.Allocate(1, values.Columns);
        Average = values; // without an average it is the parameters themselves
        if (configuration.Training.AverageDecay > 0)
        {
            Average = backend.Allocate(1, values.Columns);
            backend.Copy(values, Average);
        }

        _norm = backend.Allocate(1, 1);
        _batch = new BatchGradient(Flow, estimator, data, objective, configuration);
        _gradient = _batch.Value;
        var temporaries = new Workspace(backend); // what is repeated writes to the same memory, which must be nobody else's
        _pullBack = ForEach(Flow.Parts, part => Flow.PullBack(part, _gradient));
        _updateNorms = ForEach(Flow.Parts, part => Flow.UpdateNorms(part, configuration.Training.PowerIterations, configuration.Training.PowerTolerance));
        _muon = configuration.Training.MuonRate > 0 ? new Muon(Flow, _gradient, configuration.Training.MuonMomentum, ForEach) : null;

        Action ForEach(int count, Action<int> work)
        {
            Action all = () => backend.Parallel(count, work);
            return backend.Repeatable(() => ThreadWorkspace.Lend(backend, temporaries, all));
        }
    }

    /// <summary>
    /// Gives back what setting up has left behind, the first homes of parameters above all, before training needs as much: worth a pause before long
    /// runs of large models in a process of their own.
    /// </summary>
    public static void ReleaseSetUp() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    /// <summary>What is trained and how.</summary>
    public Configuration Configuration { get; }

    /// <summary>What is fitted.</summary>
    public IPointSource Data => _data;

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

    /// <summary>Muon's momentum, flat; null where Adam trains everything.</summary>
    internal Tensor? Momentum => _muon?.Momentum;

    /// <summary>Makes one optimiser step.</summary>
    /// <remarks>
    /// A device is waited for once, for the losses and the norm of the gradient that the report needs, before anything is changed: so a step that
    /// fails changes nothing, and the device has work again at once. The next batch is drawn while it is busy.
    /// </remarks>
    /// <exception cref="NonFiniteException">
    /// The loss or the gradient is NaN or infinite; the message names the first place, and nothing was changed by this step.
    /// </exception>
    public StepReport Step()
    {
        TrainingSettings training = Configuration.Training;
        uint step = checked((uint)StepsDone);
        _batch.Run(Configuration.Seed, step);
        _pullBack();
        if (StepsDone < training.HoldConcatenation)
        {
            HoldConcatenation();
        }

        _backend.Norm(_gradient, _norm);
        _batch.Input.DrawAhead(Configuration.Seed, step + 1);
        double norm = ReadNorm();
        double rate = LearningRate.At(training, StepsDone);
        // The average follows quickly at first, so that it never remembers the initial weights for long.
        double decay = training.AverageDecay == 0 ? 0 : Math.Min(training.AverageDecay, (1.0 + StepsDone) / (10 + StepsDone));
        double clip = training.Clip == 0 ? double.PositiveInfinity : training.Clip;
        _muon?.Step(LearningRate.At(training, training.MuonRate, StepsDone), Math.Min(1, clip / norm));
        _backend.Adam(
            Flow.Trained.Values, _gradient, FirstMoment, SecondMoment, Average, _norm, clip,
            new AdamStep(StepsDone + 1, rate, training.Beta1, training.Beta2, training.Epsilon, decay));
        _updateNorms();
        Flow.Expire();
        StepsDone++;
        return _batch.Losses.Report(_batch.Input, StepsDone, norm, rate);
    }

    /// <summary>
    /// The flow as it is used after training: averaged parameters where an average is kept, and norms found by as many power
    /// iterations as the evaluation settings ask for. The flow in training is not touched.
    /// </summary>
    /// <remarks>
    /// The same object every time, brought up to date by the first call after a step. To keep the flow of a certain step, save it
    /// (<c>RunDirectory.SaveModel</c>).
    /// </remarks>
    public Flow InferenceFlow()
    {
        _inference ??= FlowFactory.Create(Configuration, _data.Width, _backend);
        if (_inferenceStep == StepsDone)
        {
            return _inference;
        }

        for (int i = 0; i < Flow.Parameters.Count; i++)
        {
            _backend.Copy(Flow.Parameters[i].Value, _inference.Parameters[i].Value);
        }

        if (Configuration.Training.AverageDecay > 0)
        {
            _backend.Copy(Average, _inference.Trained.Values);
        }

        _inference.UpdateNorms(Configuration.Evaluation.PowerIterations, Configuration.Evaluation.PowerTolerance);
        _inferenceStep = StepsDone;
        return _inference;
    }

    /// <summary>Tests <see cref="InferenceFlow"/> on the fixed test set of the data.</summary>
    /// <exception cref="NonFiniteException">Some density is not finite.</exception>
    public TestReport Test() => FlowTest.Run(InferenceFlow(), Configuration, _data, StepsDone);

    /// <summary>Restores the derived state after parameters were loaded.</summary>
    internal void AfterRestore()
    {
        Flow.Prepare();
        _inferenceStep = -1;
    }

    private static void ThrowUnlessLabelled(TaskSettings? task, IPointSource data)
    {
        int classes = data is ILabelledSource labelled ? labelled.Classes : 0;
        if (task is not null && (classes == 0 || classes != task.Classes))
        {
            throw new ConfigurationException(
                $"task.kind {task.Kind} with {task.Classes} classes needs data with labels of as many; this data has {classes}.");
        }
    }

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

    private void InitialiseFromData(int rows)
    {
        if (Configuration.Model.ActNorm || Flow.Head is not null)
        {
            var points = new double[rows * _data.Width];
            _data.Sample(new RandomKey(Configuration.Seed, RandomPurpose.TrainingData), 0, points);
            Flow.Initialise(points);
        }
    }

    // Waits for the gradient, and refuses it where it or the loss is not finite.
    private double ReadNorm()
    {
        double norm = Scalar(_norm);
        _batch.Losses.Read();
        string? fault = _batch.Fault() ?? (double.IsFinite(norm) ? null : FirstNonFiniteGradient());
        return fault is null
            ? norm
            : throw new NonFiniteException($"step {StepsDone + 1}: {fault}; try a smaller training.learningRate{(_muon is null ? "" : " or training.muonRate")} or training.clip=1.");
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
