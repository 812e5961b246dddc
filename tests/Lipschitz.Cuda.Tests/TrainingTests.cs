using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Cpu.Tests;
using Lipschitz.LogDet;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Cuda.Tests;

/// <summary>Whole training steps on a device agree with those on the processor from the same seed.</summary>
public class TrainingTests
{
    private const double Close = 1e-4;

    public static TheoryData<string, string> BackendsAndModels
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (string backend in (string[])["cuda", "cuda with neither"])
            {
                foreach (string model in TinyModels.Names)
                {
                    data.Add(backend, model);
                }
            }

            return data;
        }
    }

    public static TheoryData<string> Models => [.. TinyModels.Names];

    [Theory]
    [MemberData(nameof(BackendsAndModels))]
    public void A_step_agrees_with_the_processor(string backend, string model)
    {
        using IBackend device = ConformingBackends.Make(backend), processor = CpuBackend.Create(Precision.Float32, 1);
        Trainer onDevice = TinyModels.Create(model, device), onProcessor = TinyModels.Create(model, processor);
        Agree(onProcessor, onDevice, 1, Close);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Twenty_steps_stay_together(string model)
    {
        using IBackend device = ConformingBackends.Make("cuda"), processor = CpuBackend.Create(Precision.Float32, 2);
        Trainer onDevice = TinyModels.Create(model, device), onProcessor = TinyModels.Create(model, processor);
        Agree(onProcessor, onDevice, 20, 20 * Close);
        TestReport expected = onProcessor.Test(), actual = onDevice.Test();
        Assert.Equal(expected.Loss, actual.Loss, 20 * Close * Math.Max(1, Math.Abs(expected.Loss)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_run_that_was_saved_on_one_goes_on_on_the_other(bool fromDevice)
    {
        const string Model = "points quick";
        using IBackend device = ConformingBackends.Make("cuda"), processor = CpuBackend.Create(Precision.Float32, 1);
        Trainer whole = TinyModels.Create(Model, processor), first = TinyModels.Create(Model, fromDevice ? device : processor);
        Run(whole, 3);
        Run(first, 3);
        string folder = Directory.CreateTempSubdirectory("lipschitz-cuda").FullName;
        try
        {
            RunDirectory run = RunDirectory.Create(Path.Combine(folder, "run"), first.Configuration);
            run.SaveTraining(first);
            Trainer resumed = TinyModels.Create(Model, fromDevice ? processor : device);
            Assert.True(run.TryRestore(resumed));
            Assert.Equal(3, resumed.StepsDone);
            Assert.Equal(Read(first), Read(resumed));
            Agree(whole, resumed, 3, 10 * Close);
            run.SaveModel(resumed);
            var points = new double[] { 0.3, -0.2, 1.1, 0.7 };
            var exact = new ExactDeterminant();
            double[] expected = resumed.InferenceFlow().LogProb(points, exact).Values, actual = run.LoadFlow(processor).LogProb(points, exact).Values;
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * Math.Abs(pair.First)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void The_same_steps_on_one_device_give_the_same_bits()
    {
        double[] Trained()
        {
            using IBackend device = ConformingBackends.Make("cuda");
            Trainer trainer = TinyModels.Create("pictures idensenet-lc", device);
            Run(trainer, 4);
            return Read(trainer);
        }

        Assert.Equal(Trained(), Trained());
    }

    private static void Agree(Trainer expected, Trainer actual, int steps, double close)
    {
        for (int i = 0; i < steps; i++)
        {
            StepReport one = expected.Step(), other = actual.Step();
            string what = $"{expected.Configuration.Name}, step {one.Step}";
            Assert.True(
                Math.Abs(one.Loss - other.Loss) <= close * Math.Max(1, Math.Abs(one.Loss)), $"{what}: loss {other.Loss}, expected {one.Loss}");
            Assert.True(
                Math.Abs(one.GradientNorm - other.GradientNorm) <= close * one.GradientNorm,
                $"{what}: norm of the gradient {other.GradientNorm}, expected {one.GradientNorm}");
        }

        double[] values = Read(expected), others = Read(actual);
        double distance = Math.Sqrt(values.Zip(others, (x, y) => (x - y) * (x - y)).Sum()), length = Math.Sqrt(values.Sum(x => x * x));
        Assert.True(distance <= close * length, $"{expected.Configuration.Name}: the parameters are {distance / length} apart");
    }

    private static void Run(Trainer trainer, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            trainer.Step();
        }
    }

    private static double[] Read(Trainer trainer)
    {
        Tensor values = trainer.Flow.Trained.Values;
        var numbers = new double[values.Count];
        trainer.Flow.Backend.Download(values, numbers);
        return numbers;
    }
}
