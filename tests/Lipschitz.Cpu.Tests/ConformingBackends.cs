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
