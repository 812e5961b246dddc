using System.CommandLine;
using System.Diagnostics;
using Lipschitz.Backends;
using Lipschitz.Checker;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Flows;
using Lipschitz.Tensors;
using Lipschitz.Verification.Certificates;
using Lipschitz.Verification.Falsification;
using Spectre.Console;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz verify RUN</c>.</summary>
internal static class VerifyCommand
{
    private const string CertificateFile = "certificate.json";

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        var check = new Option<bool>("--check") { Description = "Check the certificate of the run instead, with an independent checker that trusts no number in it" };
        Option<int?> falsify = Arguments.Whole("--falsify", 1, "Search this many points and pairs of each block for a stretch above its bound instead");
        Option<ulong?> seed = Arguments.Seed("Seed of --falsify (default: 0)");
        var tight = new Option<bool>("--tight") { Description = "Look for bounds below the product of the layers in large branches, too (seconds to minutes each)" };
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "verify",
            "Prove Lipschitz bounds of a trained flow, the proof's own rounding included, and write them to certificate.json in the run's directory.",
            "lipschitz verify runs/moons-quick",
            "lipschitz verify runs/moons-quick --check",
            "lipschitz verify runs/moons-quick --falsify 100000 --seed 1") { run, check, falsify, seed, tight, threads };
        command.SetAction(parse =>
        {
            if (parse.GetValue(check))
            {
                Arguments.Refuse(parse, "does not go with --check", falsify, seed, tight, threads);
            }

            if (parse.GetValue(falsify) is null)
            {
                Arguments.Refuse(parse, "needs --falsify", seed);
            }

            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            Tightness tightness = parse.GetValue(tight) ? Tightness.All : Tightness.Small;
            if (parse.GetValue(check))
            {
                Check(shell, parse, directory);
            }
            else if (parse.GetValue(falsify) is { } points)
            {
                using IBackend backend = CpuBackend.Create(Precision.Float64, parse.GetValue(threads) ?? Environment.ProcessorCount);
                Falsify(shell, parse, directory, tightness, backend, new FalsificationOptions(points, parse.GetValue(seed) ?? 0));
            }
            else
            {
                Prove(shell, parse, directory, tightness, parse.GetValue(threads));
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static void Prove(Shell shell, ParseResult parse, RunDirectory run, Tightness tightness, int? threads)
    {
        var watch = Stopwatch.StartNew();
        FlowCertificate certificate = CertificateBuilder.Build(run.In("model.safetensors"), run.Configuration, tightness, threads);
        double seconds = watch.Elapsed.TotalSeconds;
        using IBackend backend = ComputeOptions.OpenCpu(threads: 1);
        IReadOnlyList<double> estimates = run.LoadFlow(backend).BlockLipschitzEstimates();
        BlockCertificate[] blocks = [.. certificate.Blocks];
        string path = run.In(CertificateFile);
        bool certified = certificate.IsContractive;
        if (certified)
        {
            OutputException.Guard(path, () => CertificateJson.Write(path, certificate));
        }

        object result = new
        {
            run = run.Path,
            certified,
            certificate = certified ? path : null,
            seconds,
            lipschitz = certificate.Lipschitz,
            inverseLipschitz = certificate.Inverse,
            blocks = blocks.Select((block, b) => new
            {
                name = block.Name,
                product = block.Product,
                bound = block.Branch.Lipschitz,
                estimate = estimates[b],
                inverse = block.Inverse,
            }),
        };
        shell.Report(parse, result, console =>
        {
            Table table = CertificateText.Columns("block", "product bound", "tight bound", "estimate of training", "inverse at most");
            for (int b = 0; b < blocks.Length; b++)
            {
                table.AddRow(
                    blocks[b].Name, CertificateText.Up(blocks[b].Product), CertificateText.Up(blocks[b].Branch.Lipschitz), $"{estimates[b]:0.000000}",
                    CertificateText.Up(blocks[b].Inverse, 1));
            }

            console.Write(table);
            TextWriter text = console.Profile.Out.Writer;
            if (certified)
            {
                text.WriteLine(CertificateText.Flow(certificate.Lipschitz, certificate.Inverse, certificate.Model.Image is not null));
                text.WriteLine($"proven in {seconds:0.00} s; wrote {path}; anyone can check it again: lipschitz verify {run.Path} --check");
            }
        });
        if (!certified)
        {
            throw new NotCertifiedException(CertificateText.Reason(certificate));
        }
    }

    private static void Check(Shell shell, ParseResult parse, RunDirectory run)
    {
        if (!File.Exists(run.In(CertificateFile)))
        {
            throw new InputException($"there is no {run.In(CertificateFile)}; lipschitz verify {run.Path} writes it");
        }

        CheckReport report;
        try
        {
            report = CertificateChecker.Check(run.Path);
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot read the files of {run.Path}: {refusal.Message}", refusal);
        }

        object result = new
        {
            run = run.Path,
            ok = report.IsValid,
            findings = report.Findings,
            lipschitz = report.Lipschitz,
            inverseLipschitz = report.Inverse,
            parts = report.Parts,
            notCovered = report.NotCovered,
        };
        shell.Report(parse, result, console =>
        {
            TextWriter text = console.Profile.Out.Writer;
            if (report.IsValid)
            {
                int blocks = report.Parts.Count(part => part.Name.StartsWith("blocks.", StringComparison.Ordinal));
                text.WriteLine($"OK: {blocks} blocks proven again to be contractions from the weights of {run.In("model.safetensors")}");
                text.WriteLine(CertificateText.Flow(report.Lipschitz, report.Inverse, report.IsOfPictures));
                foreach (string line in report.NotCovered)
                {
                    text.WriteLine($"not covered: {line}");
                }
            }

            foreach (Finding finding in report.Findings)
            {
                text.WriteLine($"refused: {finding}");
            }
        });
        if (!report.IsValid)
        {
            string more = report.Findings.Count == 1 ? "" : $" (and {report.Findings.Count - 1} more findings)";
            throw new NotCertifiedException($"the certificate of {run.Path} is refused: {report.Findings[0]}{more}");
        }
    }

    private static void Falsify(
        Shell shell, ParseResult parse, RunDirectory run, Tightness tightness, IBackend backend, FalsificationOptions options)
    {
        FlowCertificate certificate = CertificateBuilder.Build(run.In("model.safetensors"), run.Configuration, tightness, backend.Threads);
        BlockCertificate[] blocks = [.. certificate.Blocks];
        Flow flow = run.LoadFlow(backend);
        var watch = Stopwatch.StartNew();
        IReadOnlyList<LowerBound> found = Falsifier.Search(flow, options);
        object result = new
        {
            run = run.Path,
            points = options.Points,
            seed = options.Seed,
            seconds = watch.Elapsed.TotalSeconds,
            blocks = blocks.Select((block, b) => new
            {
                name = block.Name,
                lowerBound = found[b].Value,
                certifiedBound = block.Branch.Lipschitz,
                ratio = block.Branch.Lipschitz / found[b].Value,
                method = found[b].Method,
                point = found[b].Point,
            }),
        };
        shell.Report(parse, result, console =>
        {
            Table table = CertificateText.Columns("block", "lower bound", "certified bound", "ratio", "found by");
            for (int b = 0; b < blocks.Length; b++)
            {
                double bound = blocks[b].Branch.Lipschitz;
                table.AddRow(blocks[b].Name, $"{found[b].Value:0.000000}", CertificateText.Up(bound), $"{bound / found[b].Value:0.0000}", found[b].Method);
            }

            console.Write(table);
            console.Profile.Out.Writer.WriteLine(
                $"{options.Points} points and pairs a block, seed {options.Seed}, {watch.Elapsed.TotalSeconds:0.0} s: no bound may be below a lower bound");
        });
        for (int b = 0; b < blocks.Length; b++)
        {
            double bound = blocks[b].Branch.Lipschitz;
            if (found[b].Value > bound * (1 + Falsifier.Tolerance))
            {
                throw new NotCertifiedException(
                    $"{blocks[b].Name}: {found[b].Method} found a stretch of {found[b].Value:R}, above the bound {bound:R}: the proof is wrong, please report it");
            }
        }

        if (!certificate.IsContractive)
        {
            throw new NotCertifiedException(CertificateText.Reason(certificate));
        }
    }
}
