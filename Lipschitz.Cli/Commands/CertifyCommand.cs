using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Data;
using Lipschitz.Training;
using Lipschitz.Verification.Certificates;
using Spectre.Console;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz certify RUN</c>.</summary>
internal static class CertifyCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "certify",
            "Scale weights of a trained flow down just enough that every block is proven to be a contraction, and write model and certificate.",
            "lipschitz certify runs/moons-quick",
            "lipschitz certify runs/moons-quick --json") { run, threads };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            IPointSource data = DataSources.Open(directory.Configuration.Data);
            using IBackend backend = BackendChoice.Open(parse.GetValue(threads));
            TestReport Test() => Trainer.Test(directory.LoadFlow(backend), directory.Configuration.Evaluation, data);
            TestReport before = Test();
            string model = directory.In("model.safetensors"), path = directory.In("certificate.json");
            (IReadOnlyList<ScaledWeight> scaled, FlowCertificate certificate) =
                OutputException.Guard(model, () => Rescaling.Apply(model, directory.Configuration));
            if (!certificate.IsContractive)
            {
                throw new NotCertifiedException(CertificateText.Reason(certificate));
            }

            OutputException.Guard(path, () => CertificateJson.Write(path, certificate));
            TestReport after = scaled.Count == 0 ? before : Test();
            Report(shell, parse, directory, scaled, before, after);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Report(
        Shell shell, ParseResult parse, RunDirectory run, IReadOnlyList<ScaledWeight> scaled, TestReport before, TestReport after)
    {
        double change = after.NegativeLogLikelihood - before.NegativeLogLikelihood;
        object result = new
        {
            run = run.Path,
            certificate = run.In("certificate.json"),
            scaled,
            before = before.NegativeLogLikelihood,
            after = after.NegativeLogLikelihood,
            change,
            standardError = after.StandardError,
            points = after.Points,
        };
        shell.Report(parse, result, console =>
        {
            TextWriter text = console.Profile.Out.Writer;
            if (scaled.Count > 0)
            {
                Table table = CertificateText.Columns("weight", "factor");
                foreach (ScaledWeight weight in scaled)
                {
                    table.AddRow(weight.Name, $"{weight.Factor:0.0000000}");
                }

                console.Write(table);
                text.WriteLine(
                    $"test NLL    {before.NegativeLogLikelihood:0.0000} before, {after.NegativeLogLikelihood:0.0000} after: {change:+0.000000;-0.000000;0} nats");
            }
            else
            {
                text.WriteLine("every block is proven to be a contraction as it is; the model is unchanged");
                text.WriteLine($"test NLL    {before.NegativeLogLikelihood:0.0000} nats");
            }

            text.WriteLine($"wrote       {run.In("certificate.json")}");
        });
    }
}
