using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Data;
using Lipschitz.Training;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz certify RUN</c>.</summary>
internal static class CertifyCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        Option<string?> path = Arguments.MovedData();
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "certify",
            "Scale weights of a trained flow down just enough that every block is proven to be a contraction, and write model and certificate.",
            "lipschitz certify runs/moons-quick",
            "lipschitz certify runs/moons-quick --json") { run, path, threads };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            IPointSource data = DataSources.OfRun(directory, parse.GetValue(path));
            using IBackend backend = ComputeOptions.OpenCpu(parse.GetValue(threads));
            using var claim = RunClaim.Take(directory.Path);
            TestReport Test() => FlowTest.Run(directory.LoadFlow(backend), directory.Configuration, data);
            Certification certification = Certification.Make(directory, Test(), Test, backend);
            certification.Require();
            Report(shell, parse, directory, certification);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Report(Shell shell, ParseResult parse, RunDirectory run, Certification certification)
    {
        object result = new
        {
            run = run.Path,
            certificate = certification.Path,
            scaled = certification.Scaled,
            before = certification.Before.NegativeLogLikelihood,
            after = certification.After.NegativeLogLikelihood,
            change = certification.Change,
            largestBound = certification.LargestBound,
            standardError = certification.After.StandardError,
            points = certification.After.Points,
        };
        shell.Report(parse, result, console =>
        {
            certification.Write(console);
            TextWriter text = console.Profile.Out.Writer;
            text.WriteLine($"test NLL    {certification.After.NegativeLogLikelihood:0.0000} nats");
            text.WriteLine($"wrote       {certification.Path}");
        });
    }
}
