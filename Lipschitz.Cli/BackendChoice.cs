using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Tensors;

namespace Lipschitz.Cli;

/// <summary>The back end that commands compute with.</summary>
internal static class BackendChoice
{
    /// <summary>The CPU back end in float32.</summary>
    /// <param name="threads">Null for all processors.</param>
    public static IBackend Open(int? threads = null) => CpuBackend.Create(Precision.Float32, threads ?? Environment.ProcessorCount);
}
