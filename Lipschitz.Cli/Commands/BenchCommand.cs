using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Diagnostics;
using Spectre.Console;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz bench gemm</c>, <c>bench conv</c> and <c>bench step</c>.</summary>
internal static class BenchCommand
{
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
            BenchStepCommand.Create(shell),
        };

    private static DocumentedCommand CreateGemm(Shell shell)
    {
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "gemm",
            "Time products of matrices: large squares, and the shapes that training is made of.",
            "lipschitz bench gemm --json",
            "lipschitz bench gemm --threads 1") { compute };
        command.SetAction(parse =>
        {
            using IBackend backend = compute.Open(parse);
            double peakGflops = ComputeOptions.PeakGflops(backend);
            IReadOnlyList<GemmTiming> products = GemmBenchmark.Run(backend, peakGflops);
            shell.Report(parse, new { backend = backend.Name, threads = backend.Threads, peakGflops, products }, console =>
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
                console.Profile.Out.Writer.WriteLine($"peak of {ComputeOptions.Describe(backend)}: {peakGflops:0.0} GFLOP/s");
            });
            return ExitCode.Success;
        });
        return command;
    }

    private static DocumentedCommand CreateConvolution(Shell shell)
    {
        var compute = new ComputeOptions();
        var command = new DocumentedCommand(
            "conv",
            "Time convolutions of the image models: forward, adjoint, gradient of the weight, and all three.",
            "lipschitz bench conv --json",
            "lipschitz bench conv --threads 1") { compute };
        command.SetAction(parse =>
        {
            using IBackend backend = compute.Open(parse);
            double peakGflops = ComputeOptions.PeakGflops(backend);
            IReadOnlyList<ConvolutionTiming> convolutions = ConvolutionBenchmark.Run(backend, peakGflops);
            shell.Report(parse, new { backend = backend.Name, threads = backend.Threads, peakGflops, convolutions }, console =>
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
                text.WriteLine($"peak of {ComputeOptions.Describe(backend)}: {peakGflops:0.0} GFLOP/s");
                text.WriteLine("operations are those of the definition: above 100% where fewer are made");
            });
            return ExitCode.Success;
        });
        return command;
    }
}
