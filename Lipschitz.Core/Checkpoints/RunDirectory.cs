using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Checkpoints;

/// <summary>
/// The folder of one training run: <c>config.json</c> (complete), <c>training.safetensors</c> (everything a resumed run needs, in one
/// file so that it is always consistent), <c>model.safetensors</c> (the model as used after training), <c>best.safetensors</c> (the model of the
/// best test so far) and <c>metrics.jsonl</c>.
/// </summary>
public sealed class RunDirectory
{
    private const string ConfigurationFile = "config.json";
    private const string TrainingFile = "training.safetensors";
    private const string ModelFile = "model.safetensors";
    private const string BestFile = "best.safetensors";

    private RunDirectory(string path, Configuration configuration)
    {
        (Path, Configuration) = (path, configuration);
        Metrics = new MetricsLog(System.IO.Path.Combine(path, "metrics.jsonl"));
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The complete configuration.</summary>
    public Configuration Configuration { get; }

    /// <summary>The log of losses and tests.</summary>
    public MetricsLog Metrics { get; }

    /// <summary>Whether there is a finished or intermediate model.</summary>
    public bool HasModel => File.Exists(In(ModelFile));

    /// <summary>The steps that the model was trained for and the columns of its points; null where there is none yet.</summary>
    /// <exception cref="CheckpointFormatException">Its header is damaged; the numbers are not read.</exception>
    public (long Step, long Width)? ModelFacts()
    {
        if (!HasModel)
        {
            return null;
        }

        string path = In(ModelFile);
        IReadOnlyDictionary<string, string> metadata = SafeTensors.ReadMetadata(path);
        return (ParameterTensors.Number(metadata, path, "step"), ParameterTensors.Number(metadata, path, "width"));
    }

    /// <summary>Whether there is something to resume from.</summary>
    public bool HasTrainingState => File.Exists(In(TrainingFile));

    /// <summary>Makes the folder (which may exist, without a run in it) and writes the configuration.</summary>
    /// <exception cref="IOException">The folder holds a run already, or cannot be written.</exception>
    public static RunDirectory Create(string path, Configuration configuration)
    {
        var run = new RunDirectory(path, configuration);
        if (File.Exists(run.In(ConfigurationFile)))
        {
            throw new IOException($"{path} already holds a run; continue it with --resume {path}, or choose another --out.");
        }

        Directory.CreateDirectory(path);
        AtomicFile.Write(run.In(ConfigurationFile), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(ConfigurationJson.Write(configuration) + "\n")));
        return run;
    }

    /// <summary>Opens the folder of an existing run.</summary>
    /// <exception cref="CheckpointFormatException">There is no run, or its configuration is damaged.</exception>
    public static RunDirectory Open(string path)
    {
        string file = System.IO.Path.Combine(path, ConfigurationFile);
        if (!File.Exists(file))
        {
            throw new CheckpointFormatException(path, "there is no run here (no config.json); name the folder that `lipschitz train` wrote.");
        }

        try
        {
            return new RunDirectory(path, ConfigurationJson.Read(File.ReadAllText(file)));
        }
        catch (ConfigurationException e)
        {
            throw new CheckpointFormatException(file, $"damaged configuration: {e.Message}");
        }
    }

    /// <summary>Writes everything a resumed run needs.</summary>
    public void SaveTraining(Trainer trainer) => TrainerState.Write(In(TrainingFile), trainer);

    /// <summary>Continues from the last <see cref="SaveTraining"/>; false where there is none.</summary>
    /// <exception cref="CheckpointFormatException">The file is damaged or belongs to another model.</exception>
    public bool TryRestore(Trainer trainer)
    {
        if (!HasTrainingState)
        {
            return false;
        }

        TrainerState.Read(In(TrainingFile), trainer);
        Metrics.TruncateAfter(trainer.StepsDone);
        return true;
    }

    /// <summary>Writes the model as used after training.</summary>
    public void SaveModel(Trainer trainer) => FlowFile.Write(In(ModelFile), trainer.InferenceFlow(), trainer.StepsDone);

    /// <summary>Writes the model as the best so far.</summary>
    public void SaveBest(Trainer trainer) => FlowFile.Write(In(BestFile), trainer.InferenceFlow(), trainer.StepsDone);

    /// <summary>
    /// The loss of the best test so far, positive infinity before the first; from the metrics, so that it is right after a resumed run went
    /// back to its last checkpoint.
    /// </summary>
    public double BestLoss() => Metrics.Read()
        .Select(line => line.TestLoss ?? line.TestNll)
        .OfType<double>()
        .Where(double.IsFinite)
        .DefaultIfEmpty(double.PositiveInfinity)
        .Min();

    /// <summary>Reads the model of the best test so far, ready for use.</summary>
    /// <exception cref="CheckpointFormatException">As from <see cref="LoadFlow"/>.</exception>
    public Flow LoadBestFlow(IBackend backend) => FlowFile.Read(In(BestFile), Configuration, backend);

    /// <summary>Reads the model, ready for use.</summary>
    /// <exception cref="CheckpointFormatException">There is none yet, or it is damaged or belongs to another configuration.</exception>
    public Flow LoadFlow(IBackend backend) => FlowFile.Read(In(ModelFile), Configuration, backend);

    /// <summary>The path of a file in the folder.</summary>
    public string In(string file) => System.IO.Path.Combine(Path, file);
}
