using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Training;
using Lipschitz.Verification.Certificates;
using Spectre.Console;

namespace Lipschitz.Cli;

/// <summary>A saved model whose weights were scaled down, where needed, until every block is proven to be a contraction.</summary>
/// <param name="Path">Where the certificate is, if there is one.</param>
/// <param name="Certificate">What is proven of the model as it is now.</param>
/// <param name="Scaled">The weights that were scaled; mostly none.</param>
/// <param name="Before">The test of the model as it was.</param>
/// <param name="After">The test of the model as it is now.</param>
internal sealed record Certification(
    string Path, FlowCertificate Certificate, IReadOnlyList<ScaledWeight> Scaled, TestReport Before, TestReport After)
{
    /// <summary>The change of the mean negative log-likelihood, in nats.</summary>
    public double Change => After.NegativeLogLikelihood - Before.NegativeLogLikelihood;

    /// <summary>The largest proven bound of a branch.</summary>
    public double LargestBound => Certificate.Blocks.Max(block => block.Branch.Lipschitz);

    /// <summary>Scales the model of a run and, if all its blocks are proven then, writes certificate.json; on the threads of the backend.</summary>
    public static Certification Make(RunDirectory run, TestReport before, Func<TestReport> test, IBackend backend)
    {
        string model = run.In("model.safetensors"), path = run.In("certificate.json");
        (IReadOnlyList<ScaledWeight> scaled, FlowCertificate certificate) =
            OutputException.Guard(model, () => Rescaling.Apply(model, run.Configuration, ComputeOptions.HostThreads(backend)));
        if (certificate.IsContractive)
        {
            OutputException.Guard(path, () => CertificateJson.Write(path, certificate));
        }

        return new Certification(path, certificate, scaled, before, scaled.Count == 0 ? before : test());
    }

    /// <summary>Fails where there is no certificate.</summary>
    /// <exception cref="NotCertifiedException">Some block is not proven to be a contraction.</exception>
    public void Require()
    {
        if (!Certificate.IsContractive)
        {
            throw new NotCertifiedException(CertificateText.Reason(Certificate));
        }
    }

    /// <summary>Writes which weights were scaled, and what that does to the test.</summary>
    public void Write(IAnsiConsole console)
    {
        TextWriter text = console.Profile.Out.Writer;
        if (Scaled.Count == 0)
        {
            text.WriteLine("certified   every block is proven to be a contraction as it is; the model is unchanged");
        }
        else
        {
            Table table = CertificateText.Columns("weight", "factor");
            foreach (ScaledWeight weight in Scaled)
            {
                table.AddRow(weight.Name, $"{weight.Factor:0.0000000}");
            }

            console.Write(table);
            text.WriteLine(
                $"scaled      test NLL {Before.NegativeLogLikelihood:0.0000} before, {After.NegativeLogLikelihood:0.0000} after:"
                + $" {Change:+0.000000;-0.000000;0} nats");
        }

        text.WriteLine($"bound       {CertificateText.Up(LargestBound)}, the largest of a block that is proven");
    }
}
