using System.Globalization;
using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Checkpoints;

/// <summary>The state of a trainer between two steps: parameters, singular vectors, moments, average, momentum and position.</summary>
internal static class TrainerState
{
    private const string Momentum = "muon.momentum"; // there where Muon trains the weights

    public static void Write(string path, Trainer trainer)
    {
        IBackend backend = trainer.Flow.Backend;
        SafeTensors.Write(
            path,
            [
                .. ParameterTensors.ToSafeTensors(backend, trainer.Flow.Parameters),
                .. Vectors(trainer).Select(vector => ParameterTensors.ToSafeTensor(backend, vector.Name, vector.Value)),
            ],
            new Dictionary<string, string>
            {
                ["format"] = "lipschitz-training-1",
                ["step"] = trainer.StepsDone.ToString(CultureInfo.InvariantCulture),
            });
    }

    public static void Read(string path, Trainer trainer)
    {
        IBackend backend = trainer.Flow.Backend;
        SafeTensorFile file = SafeTensors.Read(path);
        long step = ParameterTensors.Number(file.Metadata, path, "step");

        // Everything is checked before anything is changed.
        var loads = new List<(double[] Values, Tensor Target)>();
        foreach (Parameter parameter in trainer.Flow.Parameters)
        {
            loads.Add((ParameterTensors.Find(file, path, parameter.Name, parameter.Value), parameter.Value));
        }

        if ((file.Find(Momentum) is null) != (trainer.Momentum is null))
        {
            string other = trainer.Momentum is null ? "with" : "without";
            throw new CheckpointFormatException(path, $"it was written {other} training.muonRate; a run goes on as it began, so set it back in config.json.");
        }

        foreach ((string name, Tensor value) in Vectors(trainer))
        {
            loads.Add((ParameterTensors.Find(file, path, name, value), value));
        }

        foreach ((double[] values, Tensor target) in loads)
        {
            backend.Upload(values, target);
        }

        trainer.StepsDone = step;
        trainer.AfterRestore();
    }

    private static (string Name, Tensor Value)[] Vectors(Trainer trainer) =>
    [
        ("adam.first", trainer.FirstMoment), ("adam.second", trainer.SecondMoment), ("average", trainer.Average),
        .. trainer.Momentum is { } momentum ? new[] { (Momentum, momentum) } : [],
    ];
}
