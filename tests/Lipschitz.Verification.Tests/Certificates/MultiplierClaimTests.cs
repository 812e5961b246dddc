using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cpu;
using Lipschitz.Models;
using Lipschitz.Tensors;
using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Certificates;

namespace Lipschitz.Verification.Tests.Certificates;

public sealed class MultiplierClaimTests
{
    [Theory]
    [InlineData(BranchKind.DenseNet, Activation.CLipSwish)]
    [InlineData(BranchKind.DenseNet, Activation.LeakyLSwish)]
    [InlineData(BranchKind.Residual, Activation.LipSwish)]
    public void A_claim_is_proven_as_it_is_written_and_nothing_below(BranchKind kind, Activation f)
    {
        Configuration preset = Presets.Load("quick");
        Configuration configuration = preset with
        {
            Model = preset.Model with { Branch = kind, Blocks = 2, Depth = 2, Growth = 5, Hidden = [6, 5], Activation = f },
        };
        string path = Path.Combine(Directory.CreateTempSubdirectory("lipschitz-claims").FullName, "model.safetensors");
        using IBackend backend = CpuBackend.Create(Precision.Float32, 1);
        FlowFile.Write(path, FlowFactory.Create(configuration, 3, backend), 0);
        var saved = new SavedModel(SavedModel.ReadBytes(path), path, configuration.Model);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        foreach (BlockCertificate block in CertificateBuilder.Build(saved, Tightness.Small, threads: 1).Blocks)
        {
            var claim = Assert.IsType<MultiplierCertificate>(block.Branch);
            SlopeProblem problem = SlopeProblem.From(MultiplierClaim.Network(saved, [.. claim.Layers]))!;
            Assert.True(MultiplierClaim.Proves(problem, claim));
            Assert.False(MultiplierClaim.Proves(problem, claim with { Lipschitz = 0.999 * claim.Lipschitz }));
            Assert.False(MultiplierClaim.Proves(problem, claim with { Largest = 1.2 * claim.Largest }));
            Assert.False(MultiplierClaim.Proves(problem, claim with { Multipliers = [.. claim.Multipliers.Select(multiplier => multiplier / 10)] }));
        }
    }
}
