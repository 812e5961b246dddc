using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Cpu.Diagnostics;
using Lipschitz.Diagnostics;
using Lipschitz.Names;
using Lipschitz.Tensors;

namespace Lipschitz.Cli;

/// <summary>--backend, --precision, --device and --threads: what a command computes with.</summary>
internal sealed class ComputeOptions
{
    private readonly Option<string?> _backend = new("--backend")
    {
        Description = "cpu or cuda (default: cpu); cuda needs an NVIDIA driver, see lipschitz doctor",
        HelpName = "backend",
    };

    private readonly Option<string?> _precision = new("--precision")
    {
        Description = "fp32 or tf32, of the products of the cuda back end (default: fp32)",
        HelpName = "precision",
    };

    private readonly Option<int?> _device = Arguments.Whole("--device", 0, "The number of the cuda device (default: 0)");
    private readonly Option<int?> _threads = Arguments.Threads();

    /// <summary>All of them.</summary>
    public IEnumerable<Option> All => [_backend, _precision, _device, _threads];

    /// <summary>A processor in float32, for commands that offer no choice.</summary>
    /// <param name="threads">Null for all processors.</param>
    public static IBackend OpenCpu(int? threads = null) => CpuBackend.Create(Precision.Float32, threads ?? Environment.ProcessorCount);

    /// <summary>Opens what was asked for.</summary>
    /// <exception cref="UsageException">The options do not go together.</exception>
    /// <exception cref="UnknownNameException">There is no such back end or precision.</exception>
    /// <exception cref="BackendUnavailableException">Something that the back end needs is missing.</exception>
    public IBackend Open(ParseResult parse)
    {
        string name = parse.GetValue(_backend) ?? "cpu";
        switch (name)
        {
            case "cpu":
                Refuse(parse, name, _precision, _device);
                return OpenCpu(parse.GetValue(_threads));
            case "cuda":
                Refuse(parse, name, _threads);
                return BackendPlugins.Load(name).Open(new BackendOptions(parse.GetValue(_device) ?? 0, AllowTf32(parse)));
            default:
                throw new UnknownNameException("back end", name, ["cpu", "cuda"]);
        }
    }

    /// <summary>The threads for what is done beside a backend, such as proofs; null for all processors where it is a device.</summary>
    public static int? HostThreads(IBackend backend) => IsDevice(backend) ? null : backend.Threads;

    /// <summary>Such as <c>2 threads</c>, or the name of a device.</summary>
    public static string Describe(IBackend backend) =>
        IsDevice(backend) ? backend.Name : $"{backend.Threads} {(backend.Threads == 1 ? "thread" : "threads")}";

    /// <summary>GFLOP/s to compare others with: multiply-adds in registers on a processor, a large product on a device.</summary>
    public static double PeakGflops(IBackend backend) =>
        IsDevice(backend) ? GemmBenchmark.LargeProduct(backend) : FmaPeak.Measure(backend.Threads);

    // Whether it computes in memory of its own.
    private static bool IsDevice(IBackend backend) => backend.PeakDeviceBytes is not null;

    private bool AllowTf32(ParseResult parse) => parse.GetValue(_precision) switch
    {
        null or "fp32" => false,
        "tf32" => true,
        { } other => throw new UnknownNameException("precision", other, ["fp32", "tf32"]),
    };

    private void Refuse(ParseResult parse, string backend, params Option[] options) => Arguments.Refuse(
        parse, parse.GetValue(_backend) is null ? "needs --backend cuda" : $"does not go with --backend {backend}", options);
}
