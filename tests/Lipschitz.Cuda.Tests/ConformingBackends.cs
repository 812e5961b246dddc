using System.Collections.Concurrent;
using Lipschitz.Backends;
using Lipschitz.Cuda.Tests;

namespace Lipschitz.Cpu.Tests;

/// <summary>The ways a device can be used that <see cref="KernelConformance"/> compares with the reference in double.</summary>
/// <remarks>
/// The environment variable LIPSCHITZ_CUDA_BACKENDS, names with semicolons between them, leaves some of them out.
/// </remarks>
public static class ConformingBackends
{
    // One line a backend.
    private static readonly Dictionary<string, Func<IBackend>> Factories = new()
    {
        ["cuda"] = () => Devices.Open(Devices.Cublas, Devices.Cudnn),
        ["cuda without cuBLAS"] = () => Devices.Open(Devices.Own, Devices.Cudnn),
        ["cuda without cuDNN"] = () => Devices.Open(Devices.Cublas, Devices.None),
        ["cuda with neither"] = () => Devices.Open(Devices.Own, Devices.None),
    };

    private static readonly string[] s_wanted = Environment.GetEnvironmentVariable("LIPSCHITZ_CUDA_BACKENDS")?.Split(';') ?? [.. Factories.Keys];

    /// <summary>The test classes that have made backends.</summary>
    public static ConcurrentDictionary<string, bool> Users { get; } = [];

    public static TheoryData<string> Names => [.. s_wanted];

    public static TheoryData<string, Activation> NamesAndActivations
    {
        get
        {
            TheoryData<string, Activation> data = [];
            foreach (string name in s_wanted)
            {
                foreach (Activation f in Enum.GetValues<Activation>())
                {
                    data.Add(name, f);
                }
            }

            return data;
        }
    }

    public static IBackend Make(string name)
    {
        Users[TestContext.Current.TestClass?.TestClassSimpleName ?? ""] = true;
        return Factories[name]();
    }
}
