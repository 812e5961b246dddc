using System.Numerics;
using Lipschitz.Backends;
using Lipschitz.Cpu.Kernels;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cpu;

/// <summary><see cref="IBackend"/> in terms of the kernels: checks shapes, then hands views of the memory on.</summary>
/// <remarks>
/// Each method ends with <see cref="Alive"/> of its buffers: kernels hold bare addresses, and a buffer that nobody refers to any more
/// could otherwise be collected while a kernel runs.
/// <see cref="IBackend.MultiplyActivate"/> and <see cref="IBackend.MultiplySlopes"/> are the interface's own, one pass after the other:
/// running them over blocks of 24 to 168 rows, hot in the cache, measured within 2% of that, on either side, up to 2000 rows.
/// </remarks>
internal sealed partial class CpuBackend<T, TVector, TLanes>(int threads) : IBackend
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TLanes : struct, ILanes<TVector, T>
{
    private readonly WorkerPool _pool = new(threads);

    /// <inheritdoc/>
    public string Name { get; } = $"cpu-{TLanes.Name}-{(typeof(T) == typeof(float) ? "float32" : "float64")}";

    /// <inheritdoc/>
    public Precision Precision => typeof(T) == typeof(float) ? Precision.Float32 : Precision.Float64;

    /// <inheritdoc/>
    public int Threads => _pool.Threads;

    /// <inheritdoc/>
    public void Dispose() => _pool.Dispose();

    // ---- memory ----

    /// <inheritdoc/>
    public DeviceBuffer AllocateBuffer(int length) => new HostBuffer<T>(length);

    /// <inheritdoc/>
    public unsafe void Upload(ReadOnlySpan<double> source, Tensor destination)
    {
        RequireLength(source.Length, destination, "source");
        View<T> to = new(destination);
        for (int i = 0; i < to.Rows; i++)
        {
            T* row = to.Row(i);
            ReadOnlySpan<double> from = source.Slice(i * to.Columns, to.Columns);
            for (int j = 0; j < from.Length; j++)
            {
                row[j] = T.CreateTruncating(from[j]);
            }
        }

        Alive(destination);
    }

    /// <inheritdoc/>
    public unsafe void Download(Tensor source, Span<double> destination)
    {
        RequireLength(destination.Length, source, "destination");
        View<T> from = new(source);
        for (int i = 0; i < from.Rows; i++)
        {
            T* row = from.Row(i);
            Span<double> to = destination.Slice(i * from.Columns, from.Columns);
            for (int j = 0; j < to.Length; j++)
            {
                to[j] = double.CreateTruncating(row[j]);
            }
        }

        Alive(source);
    }

    /// <inheritdoc/>
    public void Parallel(int count, Action<int> body) => _pool.Run(count, body);

    /// <inheritdoc/>
    public void Fill(Tensor x, double value)
    {
        Elementwise<T, TVector, TLanes>.Fill(new(x), T.CreateTruncating(value));
        Alive(x);
    }

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        Require(destination, source.Rows, source.Columns, "destination");
        Elementwise<T, TVector, TLanes>.Copy(new(source), new(destination));
        Alive(source, destination);
    }

    // ---- products ----

    /// <inheritdoc/>
    public PackedMatrix CreatePacked(int inner, int columns) =>
        new CpuPackedMatrix<T>(inner, columns, MicroKernels<T, TVector, TLanes>.Columns, TLanes.Count);

    /// <inheritdoc/>
    public void Pack(Tensor source, bool transpose, PackedMatrix destination, int innerStart = 0)
    {
        int k = RequireRoom(source, transpose, destination, innerStart);

        ((CpuPackedMatrix<T>)destination).Panels.Pack(new(source), transpose, innerStart);
        Alive(source);
        GC.KeepAlive(destination);
    }

    /// <inheritdoc/>
    public void Multiply(Tensor a, PackedMatrix b, double beta, Tensor c)
    {
        Require(a, c.Rows, b.Inner, "a");
        Require(c, a.Rows, b.Columns, "c");
        MatrixProduct<T, TVector, TLanes>.Multiply(new(a), ((CpuPackedMatrix<T>)b).Panels, T.CreateTruncating(beta), new(c));
        Alive(a, c);
        GC.KeepAlive(b);
    }

    /// <inheritdoc/>
    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, double beta, Tensor c)
    {
        (int m, int k) = transposeA ? (a.Columns, a.Rows) : (a.Rows, a.Columns);
        int n = transposeB ? b.Rows : b.Columns;
        Require(b, transposeB ? n : k, transposeB ? k : n, "b");
        Require(c, m, n, "c");
        MatrixProduct<T, TVector, TLanes>.Multiply(new(a), transposeA, new(b), transposeB, T.CreateTruncating(beta), new(c));
        Alive(a, b, c);
    }

    // ---- activations ----

    /// <inheritdoc/>
    public void Activate(Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor y)
    {
        RequireParameters(f, parameters, "parameters");
        RequireStacked(pre, valueRows, "pre");
        RequireColumns(f, pre.Columns);
        Require(y, pre.Rows, f.OutputColumns(pre.Columns), "y");
        ActivationKernels<T, TVector, TLanes>.Activate(f, new(parameters), new(pre), valueRows, new(y));
        Alive(parameters, pre, y);
    }

    /// <inheritdoc/>
    public void ActivationSlopes(Activation f, Tensor parameters, Tensor pre, Tensor slopes)
    {
        RequireParameters(f, parameters, "parameters");
        RequireColumns(f, pre.Columns);
        Require(slopes, pre.Rows, f.SlopeColumns(pre.Columns), "slopes");
        ActivationKernels<T, TVector, TLanes>.Slopes(f, new(parameters), new(pre), new(slopes));
        Alive(parameters, pre, slopes);
    }

    /// <inheritdoc/>
    public void SlopeVjp(Activation f, Tensor slopes, Tensor w, Tensor result)
    {
        RequireColumns(f, result.Columns);
        RequireBlocks(w, slopes.Rows, "w");
        Require(slopes, slopes.Rows, f.SlopeColumns(result.Columns), "slopes");
        Require(w, result.Rows, f.OutputColumns(result.Columns), "w");
        ActivationKernels<T, TVector, TLanes>.Vjp(f, new(slopes), new(w), new(result));
        Alive(slopes, w, result);
    }

    /// <inheritdoc/>
    public void SlopeJvp(Activation f, Tensor slopes, Tensor t, Tensor result)
    {
        RequireColumns(f, t.Columns);
        RequireBlocks(t, slopes.Rows, "t");
        Require(slopes, slopes.Rows, f.SlopeColumns(t.Columns), "slopes");
        Require(result, t.Rows, f.OutputColumns(t.Columns), "result");
        ActivationKernels<T, TVector, TLanes>.Jvp(f, new(slopes), new(t), new(result));
        Alive(slopes, t, result);
    }

    /// <inheritdoc/>
    public void ActivationBackward(
        Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor gradient, Tensor preGradient, Tensor parameterGradient)
    {
        RequireParameters(f, parameters, "parameters");
        RequireParameters(f, parameterGradient, "parameterGradient");
        RequireStacked(pre, valueRows, "pre");
        RequireColumns(f, pre.Columns);
        Require(gradient, pre.Rows, f.OutputColumns(pre.Columns), "gradient");
        Require(preGradient, pre.Rows, pre.Columns, "preGradient");
        ActivationKernels<T, TVector, TLanes>.Backward(
            f, new(parameters), new(pre), valueRows, new(gradient), new(preGradient), new(parameterGradient));
        Alive(parameters, pre, gradient);
        Alive(preGradient, parameterGradient);
    }

    // ---- random numbers ----

    /// <inheritdoc/>
    public void FillNormal(RandomKey key, long firstRow, Tensor x) => FillRandom(key, firstRow, x, signs: false);

    /// <inheritdoc/>
    public void FillSigns(RandomKey key, long firstRow, Tensor x) => FillRandom(key, firstRow, x, signs: true);

    private static unsafe void FillRandom(RandomKey key, long firstRow, Tensor x, bool signs)
    {
        View<T> to = new(x);
        var draws = new Span<double>(Scratch<double>.Rent(ScratchSlot.Vector, to.Columns), to.Columns);
        for (int i = 0; i < to.Rows; i++)
        {
            uint address = checked((uint)(firstRow + i));
            if (signs)
            {
                NormalDraws.FillRowSigns(key, address, draws);
            }
            else
            {
                NormalDraws.FillRow(key, address, draws);
            }

            T* row = to.Row(i);
            for (int j = 0; j < draws.Length; j++)
            {
                row[j] = T.CreateTruncating(draws[j]);
            }
        }

        Alive(x);
    }

    /// <summary>Keeps buffers from being collected up to here.</summary>
    private static void Alive(Tensor x, Tensor y = default, Tensor z = default)
    {
        GC.KeepAlive(x.Buffer);
        GC.KeepAlive(y.Buffer);
        GC.KeepAlive(z.Buffer);
    }
}
