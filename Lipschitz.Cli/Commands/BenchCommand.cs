using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Cpu.Diagnostics;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Training;
using Spectre.Console;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz bench gemm</c>, <c>bench conv</c> and <c>bench step</c>.</summary>
internal static class BenchCommand
{
    private const int DefaultSteps = 50;

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell) =>
        new DocumentedCommand(
            "bench",
            "Measure the speed of this machine.",
            "lipschitz bench step --data moons --model idensenet-lc",
            "lipschitz bench gemm --json",
            "lipschitz bench conv --json")
        {
            CreateGemm(shell),
            CreateConvolution(shell),
            CreateStep(shell),
        };

    private static DocumentedCommand CreateGemm(Shell shell)
    {
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "gemm",
            "Time products of matrices: large squares, and the shapes that training is made of.",
            "lipschitz bench gemm --json",
            "lipschitz bench gemm --threads 1") { threads };
        command.SetAction(parse =>
        {
            int count = parse.GetValue(threads) ?? Environment.ProcessorCount;
            double peakGflops = FmaPeak.Measure(count);
            IReadOnlyList<GemmTiming> products = GemmBenchmark.Run(count, peak: peakGflops);
            shell.Report(parse, new { threads = count, peakGflops, products }, console =>
            {
                Table table = new Table().Border(TableBorder.Simple).AddColumn("product");
                foreach (string title in new[] { "m", "n", "k", "ms", "GFLOP/s", "of peak" })
                {
                    table.AddColumn(new TableColumn(title).RightAligned());
                }

                foreach (GemmTiming t in products)
                {
                    table.AddRow(
                        t.Kind, $"{t.M}", $"{t.N}", $"{t.K}", $"{t.Milliseconds:0.000}", $"{t.Gflops:0.0}", $"{100 * t.FractionOfPeak:0}%");
                }

                console.Write(table);
                console.Profile.Out.Writer.WriteLine($"peak of {count} {(count == 1 ? "thread" : "threads")}: {peakGflops:0.0} GFLOP/s");
            });
            return ExitCode.Success;
        });
        return command;
    }

    private static DocumentedCommand CreateConvolution(Shell shell)
    {
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "conv",
            "Time convolutions of the image models: forward, adjoint, gradient of the weight, and all three.",
            "lipschitz bench conv --json",
            "lipschitz bench conv --threads 1") { threads };
        command.SetAction(parse =>
        {
            int count = parse.GetValue(threads) ?? Environment.ProcessorCount;
            double peakGflops = FmaPeak.Measure(count);
            IReadOnlyList<ConvolutionTiming> convolutions = ConvolutionBenchmark.Run(count, peak: peakGflops);
            shell.Report(parse, new { threads = count, peakGflops, convolutions }, console =>
            {
                Table table = new Table().Border(TableBorder.Simple).AddColumn("pass");
                foreach (string title in new[] { "batch", "in", "out", "size", "kernel", "ms", "GFLOP/s", "of peak" })
                {
                    table.AddColumn(new TableColumn(title).RightAligned());
                }

                foreach (ConvolutionTiming t in convolutions)
                {
                    table.AddRow(
                        t.Pass, $"{t.Batch}", $"{t.Inputs}", $"{t.Outputs}", $"{t.Size}", $"{t.Kernel}", $"{t.Milliseconds:0.000}",
                        $"{t.Gflops:0.0}", $"{100 * t.FractionOfPeak:0}%");
                }

                console.Write(table);
                TextWriter text = console.Profile.Out.Writer;
                text.WriteLine($"peak of {count} {(count == 1 ? "thread" : "threads")}: {peakGflops:0.0} GFLOP/s");
                text.WriteLine("operations are those of the definition: above 100% where fewer are made");
            });
            return ExitCode.Success;
        });
        return command;
    }

    private static DocumentedCommand CreateStep(Shell shell)
    {
        var data = new Option<string?>("--data") { Description = "A data set or file of points (default: moons)", HelpName = "DATA" };
        var model = new Option<string?>("--model")
        {
            Description = $"A preset: {string.Join(", ", Presets.Names)} (default: quick)",
            HelpName = "preset",
        };
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
            int count = parse.GetValue(steps) ?? DefaultSteps;
            StepTiming timing = UsageException.Guard(() => StepBenchmark.Run(configuration, backend, source, count));
            double gflops = timing.FlopsPerStep / timing.MedianMilliseconds / 1e6;
            double peakGflops = FmaPeak.Measure(backend.Threads);
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
                text.WriteLine($"floor     {result.flopsPerStep / 1e9:0.00} GFLOP a step, so {result.gflops:0.0} GFLOP/s");
                text.WriteLine($"of peak   {100 * result.fractionOfPeak:0}% of the measured {result.peakGflops:0.0} GFLOP/s");
            });
            return ExitCode.Success;
        });
        return command;
    }
}
