using BenchmarkDotNet.Attributes;
using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Tensors;

namespace Lipschitz.Benchmarks;

/// <summary>One shard's products on one thread: rows of a shard with two tangents, widths of the paper's toy layers.</summary>
public class ProductBenchmarks
{
    private IBackend _backend = null!;
    private Tensor _a;
    private Tensor _c;
    private PackedMatrix _b = null!;

    [Params(92, 182, 272, 362)]
    public int Inner { get; set; }

    [Params(84, 252)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _backend = CpuBackend.Create(threads: 1);
        Tensor w = _backend.Allocate(90, Inner);
        _a = _backend.Allocate(Rows, Inner);
        _c = _backend.Allocate(Rows, 90);
        _backend.Fill(w, 0.01);
        _backend.Fill(_a, 0.5);
        _b = _backend.CreatePacked(Inner, 90);
        _backend.Pack(w, true, _b);
    }

    [Benchmark]
    public void Multiply() => _backend.Multiply(_a, _b, 0, _c);

    [GlobalCleanup]
    public void Cleanup() => _backend.Dispose();
}
