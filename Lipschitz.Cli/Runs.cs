using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;
using Lipschitz.Verification.Certificates;

namespace Lipschitz.Cli;

/// <summary>Opens the run that a command line names.</summary>
internal static class Runs
{
    /// <summary>The last model of a run, or that of its best test.</summary>
    /// <exception cref="CheckpointFormatException">There is none yet, or it is damaged.</exception>
    public static Flow Load(RunDirectory run, bool best, IBackend backend) => best ? run.LoadBestFlow(backend) : run.LoadFlow(backend);

    /// <summary>The same, to be inverted: <see cref="UseCertificate"/>.</summary>
    /// <inheritdoc cref="Load" path="/exception"/>
    public static Flow LoadInvertible(RunDirectory run, bool best, IBackend backend)
    {
        Flow flow = Load(run, best, backend);
        UseCertificate(run, best, flow);
        return flow;
    }

    /// <summary>Has blocks of a loaded flow inverted by what the run's certificate proves, where the product of their layers' bounds does not suffice.</summary>
    /// <exception cref="CheckpointFormatException">The certificate is needed and damaged.</exception>
    public static void UseCertificate(RunDirectory run, bool best, Flow flow) =>
        CertifiedBranches.Apply(run.In("certificate.json"), run.In(best ? "best.safetensors" : "model.safetensors"), flow);

    /// <summary>The run in <paramref name="path"/>.</summary>
    /// <exception cref="InputException">There is no such folder, or it cannot be read.</exception>
    /// <exception cref="CheckpointFormatException">It holds no run, or a damaged one.</exception>
    public static RunDirectory Open(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new InputException(File.Exists(path) ? $"{path} is a file, expected the directory of a run" : $"there is no run {path}");
        }

        try
        {
            return RunDirectory.Open(path);
        }
        catch (Exception refusal) when (refusal is UnauthorizedAccessException or IOException and not CheckpointFormatException)
        {
            throw new InputException($"cannot read {path}: {refusal.Message}", refusal);
        }
    }
}
