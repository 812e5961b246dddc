using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz bench gemm</c> and <c>lipschitz bench step</c>.</summary>
internal static class BenchCommand
{
    private const int DefaultSteps = 50;

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell) =>
        new DocumentedCommand(
            "bench", "Measure the speed of this machine.", "lipschitz bench step --data moons --model idensenet-lc", "lipschitz bench gemm --json")
        {
            CreateStep(shell),
        };

    private static DocumentedCommand CreateStep(Shell shell)
    {
        var data = new Option<string?>("--data") { Description = "A data set or file of points (default: moons)", HelpName = "DATA" };
        var model = new Option<string?>("--model") { Description = $"A preset: {string.Join(", ", Presets.Names)} (default: quick)", HelpName = "preset" };
        Option<int?> batch = Arguments.Whole("--batch", 1, "Samples a step (default: the preset's)");
        Option<int?> steps = Arguments.Whole("--steps", 1, $"Steps to time (default: {DefaultSteps})");
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "step",
            "Time a whole training step: data, forward, estimator, backward, Adam, norms.",
            "lipschitz bench step --data moons --model idensenet-lc --json") { data, model, batch, steps, threads };
        command.SetAction(parse =>
        {
            Configuration preset = Presets.Load(parse.GetValue(model) ?? "quick");
            Configuration configuration = preset with
            {
                Training = preset.Training with { Batch = parse.GetValue(batch) ?? preset.Training.Batch },
            };
            IPointSource source = DataSources.Open(parse.GetValue(data) ?? configuration.Data);
            using IBackend backend = BackendChoice.Open(parse.GetValue(threads));
            StepTiming timing = StepBenchmark.Run(configuration, backend, source, parse.GetValue(steps) ?? DefaultSteps);
            double gflops = timing.FlopsPerStep / timing.MedianMilliseconds / 1e6;
            double peakGflops = double.NaN;
            var result = new
            {
                model = configuration.Name,
                data = parse.GetValue(data) ?? configuration.Data,
                batch = configuration.Training.Batch,
                backend = backend.Name,
                parameters = timing.Parameters,
                threads = backend.Threads,
                medianMs = timing.MedianMilliseconds,
                minimumMs = timing.MinimumMilliseconds,
                flopsPerStep = timing.FlopsPerStep,
                madeFlopsPerStep = timing.MadeFlopsPerStep,
                gflops,
                peakGflops,
                fractionOfPeak = gflops / peakGflops,
            };
            shell.Report(parse, result, console =>
            {
                TextWriter text = console.Profile.Out.Writer;
                text.WriteLine($"{result.model} on {result.data}, batch {result.batch}, {result.backend}, {result.threads} threads");
                text.WriteLine($"median    {result.medianMs:0.00} ms a step (shortest {result.minimumMs:0.00})");
                text.WriteLine($"speed     {result.gflops:0.0} GFLOP/s of the {result.flopsPerStep / 1e9:0.00} GFLOP floor, {result.fractionOfPeak:0%} of the measured peak {result.peakGflops:0.0}");
            });
            return ExitCode.Success;
        });
        return command;
    }
}
