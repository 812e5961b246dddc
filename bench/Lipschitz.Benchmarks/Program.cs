using BenchmarkDotNet.Running;
using Lipschitz.Benchmarks;

// dotnet run -c Release --project bench/Lipschitz.Benchmarks -- --filter '*Product*'
BenchmarkSwitcher.FromAssembly(typeof(ProductBenchmarks).Assembly).Run(args);
