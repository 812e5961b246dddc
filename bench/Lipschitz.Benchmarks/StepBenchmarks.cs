using BenchmarkDotNet.Attributes;
using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Training;

namespace Lipschitz.Benchmarks;

/// <summary>Whole training steps of the toy presets on all threads.</summary>
public class StepBenchmarks
{
    private IBackend _backend = null!;
    private Trainer _trainer = null!;

    [Params("idensenet-lc", "resflow", "quick")]
    public string Model { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _backend = CpuBackend.Create();
        _trainer = new Trainer(Presets.Load(Model), _backend, ToyDensities.Find("moons"));
    }

    [Benchmark]
    public double Step() => _trainer.Step().Loss;

    [GlobalCleanup]
    public void Cleanup() => _backend.Dispose();
}
