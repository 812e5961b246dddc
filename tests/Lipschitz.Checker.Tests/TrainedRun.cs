using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;
using Lipschitz.Verification.Certificates;

namespace Lipschitz.Checker.Tests;

/// <summary>Small trained models with certificates, in a folder of their own.</summary>
public sealed class TrainedRun : IDisposable
{
    private static readonly ImageSettings s_image = new()
    {
        Height = 8,
        Width = 12,
        Channels = 1,
        Blocks = [1, 1],
        FullyConnected = 1,
        FullyConnectedWidth = 4,
        FullyConnectedDepth = 2,
        FullyConnectedGrowth = 2,
        FullyConnectedHidden = [3],
    };

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
        ["pictures"] = new()
        {
            Branch = BranchKind.DenseNet,
            Blocks = 1,
            Depth = 2,
            Growth = 3,
            Activation = Activation.CLipSwish,
            Concatenation = ConcatenationKind.Learnable,
            Coefficient = 0.9,
            ActNorm = true,
            Image = s_image with { FactorOut = true },
        },
        ["pictures, residual"] = new()
        {
            Branch = BranchKind.Residual,
            Blocks = 1,
            Hidden = [5, 4],
            Activation = Activation.LipSwish,
            Coefficient = 0.85,
            ActNorm = true,
            Image = s_image with { FirstSqueezes = 1, Blocks = [2] },
        },
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

    /// <summary>Trains a few steps on moons; flows on pictures are only drawn, with weights so large that normalisation binds.</summary>
    public static TrainedRun Train(ModelSettings model, int steps = 20, TaskSettings? task = null)
    {
        Configuration preset = Presets.Load("quick");
        Configuration configuration = preset with
        {
            Model = model,
            Task = task,
            Training = preset.Training with { Steps = steps, Batch = 84, WarmupSteps = 0 },
            Evaluation = preset.Evaluation with { Points = 84 },
        };
        string folder = Directory.CreateTempSubdirectory("lipschitz-checker").FullName;
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        if (model.Image is { } image)
        {
            RunDirectory.Create(folder, configuration);
            var run = new TrainedRun(folder, configuration);
            FlowFile.Write(run.ModelPath, Drawn(configuration, image, backend), 0);
            return run;
        }

        var trainer = new Trainer(configuration, backend, ToyDensities.Find("moons"));
        for (int i = 0; i < steps; i++)
        {
            trainer.Step();
        }

        RunDirectory.Create(folder, configuration).SaveModel(trainer);
        return new TrainedRun(folder, configuration);
    }

    /// <summary>A model of matrices filled with one number each, whatever it would be for.</summary>
    public static TrainedRun Fill(ModelSettings model, int width, params (string Name, int Rows, int Columns, float Value)[] matrices)
    {
        string folder = Directory.CreateTempSubdirectory("lipschitz-checker").FullName;
        var run = new TrainedRun(folder, Presets.Load("quick") with { Model = model });
        File.WriteAllText(Path.Combine(folder, "config.json"), ConfigurationJson.Write(run.Configuration));
        SafeTensors.Write(
            run.ModelPath,
            [.. matrices.Select(m => SafeTensor.FromFloats(m.Name, [.. Enumerable.Repeat(m.Value, m.Rows * m.Columns)], [m.Rows, m.Columns]))],
            new Dictionary<string, string> { ["format"] = "lipschitz-flow-1", ["width"] = $"{width}" });
        return run;
    }

    private static Flow Drawn(Configuration configuration, ImageSettings image, IBackend backend)
    {
        Flow flow = FlowFactory.Create(configuration, image.Shape.Count, backend);
        var random = new Random(1);
        foreach (Parameter parameter in flow.Parameters)
        {
            var values = new double[parameter.Value.Count];
            backend.Download(parameter.Value, values);
            if (parameter.Role is ParameterRole.Weight or ParameterRole.Concatenation or ParameterRole.ActNorm)
            {
                bool isWeight = parameter.Role == ParameterRole.Weight;
                backend.Upload([.. values.Select(w => isWeight ? 2 * w : random.NextDouble() - 0.5)], parameter.Value);
            }
        }

        flow.UpdateNorms(200);
        return flow;
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
