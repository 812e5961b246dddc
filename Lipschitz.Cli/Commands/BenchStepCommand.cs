using System.CommandLine;
using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Training;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz bench step</c>.</summary>
internal static class BenchStepCommand
{
    private const int DefaultSteps = 50;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60); // where no number of steps is given
    private static readonly Dictionary<string, string> s_elsewhere = new() { ["data"] = "--data", ["name"] = "--model" };

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        var data = new Option<string?>("--data")
        {
            Description = $"{DataSources.Description} (default: moons); made-up pictures where the set does not come with the library",
            HelpName = "DATA",
        };
        Option<string?> model = Arguments.Model();
        var set = new Option<string[]>("--set") { Description = "Change a setting of the preset; may be repeated", HelpName = "key=value" };
        Option<int?> batch = Arguments.Whole("--batch", 1, "Samples a step (default: the preset's)");
        Option<int?> steps = Arguments.Whole("--steps", 1, $"Steps to time (default: {DefaultSteps}, fewer where they take more than a minute)");
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "step",
            "Time a whole training step: data, forward, estimator, backward, optimiser, norms.",
            "lipschitz bench step --data moons --model idensenet-lc --json",
            "lipschitz bench step --data cifar10 --model idensenet --batch 8 --steps 3 --set training.recompute=true")
        {
            data, model, set, batch, steps, compute,
        };
        command.SetAction(parse =>
        {
            string name = parse.GetValue(data) ?? "moons";
            (DataSet source, string? madeUp) = Load(name);
            Configuration preset = Presets.Load(parse.GetValue(model) ?? "quick", source.Family);
            preset = Presets.ForWidth(preset, source.Columns ?? 0) with
            {
                Data = name,
                Training = preset.Training with { Batch = parse.GetValue(batch) ?? preset.Training.Batch },
            };
            Configuration configuration = DataSet.Fit(SettingChanges.Apply(preset, parse.GetValue(set), s_elsewhere), source.Shape);
            IPointSource points = source.Source(configuration);
            using IBackend backend = compute.Open(parse);
            int? asked = parse.GetValue(steps);
            StepTiming timing = UsageException.Guard(
                () => StepBenchmark.Run(configuration, backend, points, asked ?? DefaultSteps, asked is null ? s_limit : null));
            double gflops = timing.FlopsPerStep / timing.MedianMilliseconds / 1e6;
            using var process = Process.GetCurrentProcess();
            long peakBytes = process.PeakWorkingSet64; // before the peak speed is measured
            long? peakDeviceBytes = backend.PeakDeviceBytes;
            double peakGflops = ComputeOptions.PeakGflops(backend);
            var result = new
            {
                model = configuration.Name,
                data = configuration.Data,
                madeUp,
                batch = configuration.Training.Batch,
                backend = backend.Name,
                parameters = timing.Parameters,
                threads = backend.Threads,
                steps = timing.Steps,
                medianMs = timing.MedianMilliseconds,
                minimumMs = timing.MinimumMilliseconds,
                msPerImage = source.Shape is null ? (double?)null : timing.MedianMilliseconds / configuration.Training.Batch,
                flopsPerStep = timing.FlopsPerStep,
                madeFlopsPerStep = timing.MadeFlopsPerStep,
                gflops,
                peakGflops,
                fractionOfPeak = gflops / peakGflops,
                peakWorkingSetMiB = peakBytes / (1024.0 * 1024.0),
                peakDeviceMiB = peakDeviceBytes / (1024.0 * 1024.0),
            };
            shell.Report(parse, result, console =>
            {
                TextWriter text = console.Profile.Out.Writer;
                text.WriteLine($"{result.model} on {result.data}, batch {result.batch}, {ComputeOptions.Describe(backend)}");
                if (madeUp is not null)
                {
                    text.WriteLine($"data      {madeUp}");
                }

                text.WriteLine($"median    {result.medianMs:0.00} ms a step (shortest {result.minimumMs:0.00}, {result.steps} steps)");
                if (result.msPerImage is { } each)
                {
                    text.WriteLine($"picture   {each:0.00} ms");
                }

                text.WriteLine($"floor     {result.flopsPerStep / 1e9:0.00} GFLOP a step, so {result.gflops:0.0} GFLOP/s");
                text.WriteLine($"of peak   {100 * result.fractionOfPeak:0}% of the measured {result.peakGflops:0.0} GFLOP/s");
                text.WriteLine($"memory    {result.peakWorkingSetMiB:0} MiB, the most that the process has used");
                if (result.peakDeviceMiB is { } device)
                {
                    text.WriteLine($"device    {device:0} MiB, the most that buffers and temporaries have taken");
                }
            });
            return ExitCode.Success;
        });
        return command;
    }

    // The speed of a step does not depend on what the pictures show.
    private static (DataSet Data, string? MadeUp) Load(string name)
    {
        if (DataSources.ComesWithLibrary(name) || DataSources.Shape(name) is not { } shape)
        {
            return (DataSources.Load(name), null);
        }

        return (new DataSet(MadeUpPictures(shape)), $"made-up pictures of {shape}: {name} does not come with the library");
    }

    private static PictureSplit MadeUpPictures(ImageShape shape)
    {
        PictureSet Set(int count, int seed)
        {
            var random = new Random(seed);
            var pixels = new byte[count * shape.Count];
            for (int i = 0; i < pixels.Length; i++)
            {
                int picture = i / shape.Count, pixel = i % shape.Count / shape.Channels;
                double wave = Math.Sin(((picture % 7) + 1) * 0.1 * (pixel % shape.Width)) * Math.Cos(0.2 * (pixel / shape.Width));
                pixels[i] = (byte)Math.Clamp(128 + (90 * wave) + random.Next(-20, 21), 0, 255);
            }

            return new PictureSet(shape, pixels);
        }

        return new PictureSplit(Set(256, 1), Set(16, 2));
    }
}
