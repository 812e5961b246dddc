using Lipschitz.Backends;
using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>Products.</content>
internal sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public PackedMatrix CreatePacked(int inner, int columns) => new CudaPackedMatrix(_context, inner, columns);

    /// <inheritdoc/>
    public void Pack(Tensor source, bool transpose, PackedMatrix destination, int innerStart = 0)
    {
        int k = RequireRoom(source, transpose, destination, innerStart);

        Tensor rows = ((CudaPackedMatrix)destination).Matrix.RowRange(innerStart, k);
        _context.Launch("pack_matrix", Grid.Elements(rows.Count), source, transpose ? 1 : 0, rows);
        GC.KeepAlive(source.Buffer);
        GC.KeepAlive(destination);
    }

    /// <inheritdoc/>
    public void Multiply(Tensor a, PackedMatrix b, double beta, Tensor c)
    {
        Require(a, c.Rows, b.Inner, "a");
        Require(c, a.Rows, b.Columns, "c");
        _products.Multiply(a, false, ((CudaPackedMatrix)b).Matrix, false, (float)beta, c);
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
        _products.Multiply(a, transposeA, b, transposeB, (float)beta, c);
        Alive(a, b, c);
    }

    /// <inheritdoc/>
    public void MultiplyActivate(Tensor x, PackedMatrix w, Tensor bias, Activation f, Tensor parameters, int valueRows, Tensor pre, Tensor y)
    {
        Multiply(x, w, 0, pre);
        BiasActivate(bias, f, parameters, pre, valueRows, y);
    }
}
