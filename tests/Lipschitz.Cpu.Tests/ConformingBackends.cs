using Lipschitz.Backends;
using Lipschitz.Tensors;

namespace Lipschitz.Cpu.Tests;

/// <summary>The backends that <see cref="KernelConformance"/> compares with the reference in double.</summary>
public static class ConformingBackends
{
    // One line a backend.
    private static readonly Dictionary<string, Func<IBackend>> Factories = new()
    {
        ["reference float32"] = () => ReferenceBackend.Create(Precision.Float32),
        ["reference float64"] = () => ReferenceBackend.Create(Precision.Float64),
        ["cpu 128 float32"] = () => CpuBackend.Create(Precision.Float32, 3, SimdWidth.Bits128),
        ["cpu 128 float64"] = () => CpuBackend.Create(Precision.Float64, 3, SimdWidth.Bits128),
        ["cpu 256 float32"] = () => CpuBackend.Create(Precision.Float32, 3, SimdWidth.Bits256),
        ["cpu 256 float64"] = () => CpuBackend.Create(Precision.Float64, 3, SimdWidth.Bits256),
        ["cpu 512 float32"] = () => CpuBackend.Create(Precision.Float32, 3, SimdWidth.Bits512),
        ["cpu 512 float64"] = () => CpuBackend.Create(Precision.Float64, 3, SimdWidth.Bits512),
    };

    public static TheoryData<string> Names => [.. Factories.Keys];

    public static TheoryData<string, Activation> NamesAndActivations
    {
        get
        {
            TheoryData<string, Activation> data = [];
            foreach (string name in Factories.Keys)
            {
                foreach (Activation f in Enum.GetValues<Activation>())
                {
                    data.Add(name, f);
                }
            }

            return data;
        }
    }

    public static IBackend Make(string name) => Factories[name]();
}
