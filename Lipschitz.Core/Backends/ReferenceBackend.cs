using System.Numerics;
using Lipschitz.Randomness;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Backends;

/// <summary>Makes a <see cref="ReferenceBackend{T}"/> without naming its number type.</summary>
public static class ReferenceBackend
{
    /// <summary>The reference backend for <paramref name="precision"/>.</summary>
    public static IBackend Create(Precision precision) => precision switch
    {
        Precision.Float32 => new ReferenceBackend<float>(),
        Precision.Float64 => new ReferenceBackend<double>(),
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "Unknown precision."),
    };
}

/// <summary>
/// The kernels as the plainest possible loops, with every sum and every scalar in double: what other backends are compared with.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed partial class ReferenceBackend<T> : IBackend
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public string Name => typeof(T) == typeof(float) ? "reference-float32" : "reference-float64";

    /// <inheritdoc/>
    public Precision Precision => typeof(T) == typeof(float) ? Precision.Float32 : Precision.Float64;

    /// <inheritdoc/>
    public int Threads => 1;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    // ---- memory ----

    /// <inheritdoc/>
    public DeviceBuffer AllocateBuffer(int length) => new HostBuffer<T>(length);

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<double> source, Tensor destination)
    {
        RequireLength(source.Length, destination, "source");
        var to = new View(destination);
        for (int i = 0; i < destination.Rows; i++)
        {
            for (int j = 0; j < destination.Columns; j++)
            {
                to[i, j] = source[(i * destination.Columns) + j];
            }
        }
    }

    /// <inheritdoc/>
    public void Download(Tensor source, Span<double> destination)
    {
        RequireLength(destination.Length, source, "destination");
        var from = new View(source);
        for (int i = 0; i < source.Rows; i++)
        {
            for (int j = 0; j < source.Columns; j++)
            {
                destination[(i * source.Columns) + j] = from[i, j];
            }
        }
    }

    /// <inheritdoc/>
    public void Fill(Tensor x, double value)
    {
        var to = new View(x);
        for (int i = 0; i < x.Rows; i++)
        {
            for (int j = 0; j < x.Columns; j++)
            {
                to[i, j] = value;
            }
        }
    }

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        Require(destination, source.Rows, source.Columns, "destination");
        var from = new View(source);
        var to = new View(destination);
        for (int i = 0; i < source.Rows; i++)
        {
            for (int j = 0; j < source.Columns; j++)
            {
                to[i, j] = from[i, j];
            }
        }
    }

    // ---- products ----

    /// <inheritdoc/>
    public PackedMatrix CreatePacked(int inner, int columns) => new Dense(inner, columns);

    /// <inheritdoc/>
    public void Pack(Tensor source, bool transpose, PackedMatrix destination, int innerStart = 0)
    {
        int k = RequireRoom(source, transpose, destination, innerStart), n = destination.Columns;

        var from = new View(source);
        var to = new View(((Dense)destination).Tensor);
        for (int p = 0; p < k; p++)
        {
            for (int j = 0; j < n; j++)
            {
                to[innerStart + p, j] = transpose ? from[j, p] : from[p, j];
            }
        }
    }

    /// <inheritdoc/>
    public void Multiply(Tensor a, PackedMatrix b, double beta, Tensor c) =>
        Multiply(a, false, ((Dense)b).Tensor, false, beta, c);

    /// <inheritdoc/>
    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, double beta, Tensor c)
    {
        int m = transposeA ? a.Columns : a.Rows;
        int k = transposeA ? a.Rows : a.Columns;
        int n = transposeB ? b.Rows : b.Columns;
        Require(b, transposeB ? n : k, transposeB ? k : n, "b");
        Require(c, m, n, "c");
        var left = new View(a);
        var right = new View(b);
        var result = new View(c);
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = 0;
                for (int p = 0; p < k; p++)
                {
                    sum += (transposeA ? left[p, i] : left[i, p]) * (transposeB ? right[j, p] : right[p, j]);
                }

                result[i, j] = beta == 0 ? sum : sum + (beta * result[i, j]);
            }
        }
    }

    // ---- random numbers ----

    /// <inheritdoc/>
    public void FillNormal(RandomKey key, long firstRow, Tensor x)
    {
        double[] row = new double[x.Columns];
        for (int i = 0; i < x.Rows; i++)
        {
            NormalDraws.FillRow(key, checked((uint)(firstRow + i)), row);
            Upload(row, x.RowRange(i, 1));
        }
    }

    /// <inheritdoc/>
    public void FillSigns(RandomKey key, long firstRow, Tensor x)
    {
        double[] row = new double[x.Columns];
        for (int i = 0; i < x.Rows; i++)
        {
            NormalDraws.FillRowSigns(key, checked((uint)(firstRow + i)), row);
            Upload(row, x.RowRange(i, 1));
        }
    }

    // ---- access ----

    /// <summary>The elements of a tensor as double.</summary>
    private readonly ref struct View
    {
        private readonly Span<T> _elements;
        private readonly int _stride;

        public View(Tensor tensor)
        {
            _elements = tensor.Count == 0 ? default : ((HostBuffer<T>)tensor.Buffer).Span[tensor.Offset..];
            _stride = tensor.Stride;
        }

        public double this[int i, int j]
        {
            get => double.CreateTruncating(_elements[(i * _stride) + j]);
            set => _elements[(i * _stride) + j] = T.CreateTruncating(value);
        }
    }

    /// <summary>A packed matrix that is a plain copy.</summary>
    private sealed class Dense(int inner, int columns) : PackedMatrix(inner, columns)
    {
        public Tensor Tensor { get; } = new(new HostBuffer<T>(checked(inner * columns)), 0, inner, columns, columns);
    }
}
