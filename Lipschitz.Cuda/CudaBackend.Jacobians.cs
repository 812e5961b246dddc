using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>Small Jacobians: one d x d matrix a sample, a thread each.</content>
internal sealed partial class CudaBackend
{
    private const int SampleThreads = 128;
    private const int MostSampleBlocks = 512; // bounds the scratch memory, which is as large as there are threads

    /// <inheritdoc/>
    public void CompleteBasis(Tensor probe, Tensor tangents)
    {
        Require(tangents, probe.Columns * probe.Rows, probe.Columns, "tangents");
        _context.Launch("complete_basis", Samples(probe.Rows), probe, tangents);
        Alive(probe, tangents);
    }

    /// <inheritdoc/>
    public void SolveJacobians(Tensor tangents, Tensor images, Tensor jacobians)
    {
        int d = tangents.Columns;
        Require(tangents, d * jacobians.Rows, d, "tangents");
        Require(images, d * jacobians.Rows, d, "images");
        Require(jacobians, jacobians.Rows, d * d, "jacobians");
        Grid grid = Samples(jacobians.Rows);
        using Scratch scratch = RentDoubles(grid, 2 * d * d);
        _context.Launch("solve_jacobians", grid, tangents, images, jacobians, scratch.Address);
        Alive(tangents, images, jacobians);
    }

    /// <inheritdoc/>
    public void ExactLogDet(Tensor jacobians, Tensor logDet, Tensor cotangents)
    {
        int samples = jacobians.Rows, d = cotangents.Columns;
        Require(jacobians, samples, d * d, "jacobians");
        Require(logDet, samples, 1, "logDet");
        Require(cotangents, d * samples, d, "cotangents");
        Grid grid = Samples(samples);
        using Scratch scratch = RentDoubles(grid, 2 * d * d);
        _context.Launch("exact_log_det", grid, jacobians, logDet, cotangents, scratch.Address);
        Alive(jacobians, logDet, cotangents);
    }

    /// <inheritdoc/>
    public void SeriesLogDet(
        Tensor jacobians, Tensor probe, ReadOnlySpan<double> values, ReadOnlySpan<double> cotangents, Tensor logDet, Tensor cotangent)
    {
        int d = probe.Columns;
        Require(jacobians, probe.Rows, d * d, "jacobians");
        Require(logDet, probe.Rows, 1, "logDet");
        Require(cotangent, probe.Rows, d, "cotangent");
        RequirePairs(values, cotangents);

        Grid grid = Samples(probe.Rows);
        using Scratch scratch = RentDoubles(grid, 3 * d);
        using Scratch coefficients = _context.Rent(Bytes<double>(2, values.Length));
        _context.UploadConstants<double>([.. values, .. cotangents], coefficients.Address);
        _context.Launch("series_log_det", grid, jacobians, probe, coefficients.Address, values.Length, logDet, cotangent, scratch.Address);
        Alive(jacobians, probe);
        Alive(logDet, cotangent);
    }

    private static Grid Samples(int samples) => Grid.Blocks(Math.Min(MostSampleBlocks, Pass.Ratio(samples, SampleThreads)), SampleThreads);

    private Scratch RentDoubles(Grid grid, int ofThread) => _context.Rent(Bytes<double>(grid.X * grid.Threads, ofThread));
}
