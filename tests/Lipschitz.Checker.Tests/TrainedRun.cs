using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;
using Lipschitz.Verification.Certificates;

namespace Lipschitz.Checker.Tests;

/// <summary>Small trained models with certificates, in a folder of their own.</summary>
public sealed class TrainedRun : IDisposable
{
    /// <summary>What is trained: the shapes of the presets, smaller.</summary>
    public static IReadOnlyDictionary<string, ModelSettings> Models { get; } = new Dictionary<string, ModelSettings>
    {
        ["dense"] = new()
        {
            Branch = BranchKind.DenseNet,
            Blocks = 2,
            Depth = 2,
            Growth = 4,
            Activation = Activation.CLipSwish,
            Concatenation = ConcatenationKind.Learnable,
            ConcatenationBound = 0.99,
            Coefficient = 0.99,
            ActNorm = true,
        },
        ["fixed"] = new()
        {
            Branch = BranchKind.DenseNet,
            Blocks = 1,
            Depth = 3,
            Growth = 3,
            Activation = Activation.LipSwish,
            Coefficient = 0.95,
        },
        ["residual"] = new() { Branch = BranchKind.Residual, Blocks = 2, Hidden = [8, 6], Activation = Activation.LipSwish, Coefficient = 0.9 },
        ["maxmin"] = new() { Branch = BranchKind.Residual, Blocks = 1, Hidden = [8], Activation = Activation.MaxMin, Coefficient = 0.9, ActNorm = true },
    };

    private TrainedRun(string folder, Configuration configuration) => (Folder, Configuration) = (folder, configuration);

    public string Folder { get; }

    public Configuration Configuration { get; }

    public string ModelPath => Path.Combine(Folder, "model.safetensors");

    public byte[] Model => File.ReadAllBytes(ModelPath);

    public byte[] Config => File.ReadAllBytes(Path.Combine(Folder, "config.json"));

    /// <summary>The certificate by the product of layers.</summary>
    public byte[] Certificate => Certify(Tightness.Product);

    public byte[] Certify(Tightness tightness) => CertificateJson.ToBytes(CertificateBuilder.Build(ModelPath, Configuration, tightness));

    /// <summary>Trains a few steps on moons.</summary>
    public static TrainedRun Train(ModelSettings model, int steps = 20)
    {
        Configuration preset = Presets.Load("quick");
        Configuration configuration = preset with
        {
            Model = model,
            Training = preset.Training with { Steps = steps, Batch = 84, WarmupSteps = 0 },
            Evaluation = preset.Evaluation with { Points = 84 },
        };
        string folder = Directory.CreateTempSubdirectory("lipschitz-checker").FullName;
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        var trainer = new Trainer(configuration, backend, ToyDensities.Find("moons"));
        for (int i = 0; i < steps; i++)
        {
            trainer.Step();
        }

        RunDirectory.Create(folder, configuration).SaveModel(trainer);
        return new TrainedRun(folder, configuration);
    }

    /// <summary>Rewrites the model with other numbers in one tensor, checksums of the file included.</summary>
    public void Change(string tensor, Action<float[]> change)
    {
        SafeTensorFile file = SafeTensors.Read(ModelPath);
        SafeTensors.Write(
            ModelPath,
            [
                .. file.Tensors.Select(t =>
                {
                    float[] values = t.ToFloats();
                    if (t.Name == tensor)
                    {
                        change(values);
                    }

                    return SafeTensor.FromFloats(t.Name, values, [.. t.Shape]);
                }),
            ],
            file.Metadata.ToDictionary());
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
