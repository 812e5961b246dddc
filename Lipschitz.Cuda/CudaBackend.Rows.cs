using Lipschitz.Cuda.Runtime;
using Lipschitz.Tensors;
using static Lipschitz.Backends.KernelShapes;

namespace Lipschitz.Cuda;

/// <content>Rows, columns and sums; ActNorm.</content>
internal sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Fill(Tensor x, double value)
    {
        Tensor flat = Flat(x);
        var pass = Pass.Over(flat.Rows, flat.Columns, flat);
        _context.Launch("fill", pass.Grid, pass.LaneBits, pass.Width, (float)value, flat);
        Alive(x);
    }

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        Require(destination, source.Rows, source.Columns, "destination");
        (Tensor from, Tensor to) = Flat(source, destination);
        var pass = Pass.Over(to.Rows, to.Columns, from, to);
        _context.Launch("copy", pass.Grid, pass.LaneBits, pass.Width, from, to);
        Alive(source, destination);
    }

    /// <inheritdoc/>
    public void Axpby(double alpha, Tensor x, double beta, Tensor y)
    {
        Require(y, x.Rows, x.Columns, "y");
        (Tensor from, Tensor to) = Flat(x, y);
        var pass = Pass.Over(to.Rows, to.Columns, from, to);
        _context.Launch("axpby", pass.Grid, pass.LaneBits, pass.Width, (float)alpha, from, (float)beta, to);
        Alive(x, y);
    }

    /// <inheritdoc/>
    public void AddRow(Tensor row, Tensor y)
    {
        Require(row, 1, y.Columns, "row");
        var pass = Pass.Over(y.Rows, y.Columns, row, y);
        _context.Launch("add_row", pass.Grid, pass.LaneBits, pass.Width, row, y);
        Alive(row, y);
    }

    /// <inheritdoc/>
    public void ScaleRows(Tensor factors, Tensor x, Tensor y)
    {
        Require(factors, factors.Rows, 1, "factors");
        RequireBlocks(x, factors.Rows, "x");
        Require(y, x.Rows, x.Columns, "y");
        var pass = Pass.Over(factors.Rows, y.Columns, x, y);
        _context.Launch("scale_rows", pass.Grid, pass.LaneBits, pass.Width, factors, x, y);
        Alive(factors, x, y);
    }

    /// <inheritdoc/>
    public void ColumnSums(Tensor x, double beta, Tensor sums)
    {
        Require(sums, 1, x.Columns, "sums");
        ColumnSums(x, 1, beta, sums);
        Alive(x, sums);
    }

    /// <inheritdoc/>
    public void ColumnMoments(Tensor x, Tensor mean, Tensor variance)
    {
        Require(mean, 1, x.Columns, "mean");
        Require(variance, 1, x.Columns, "variance");
        if (x.Rows == 0)
        {
            return; // the moments of nothing are not specified
        }

        ColumnSums(x, 1.0 / x.Rows, 0, mean);
        var split = Split.OfColumns(x.Rows, x.Columns);
        using Scratch scratch = _context.Rent(Bytes<float>(split.Chunks, x.Columns));
        DeviceView parts = split.Chunks == 1 ? variance : new DeviceView(scratch.Address, split.Chunks, x.Columns, x.Columns);
        _context.Launch("column_squares", split.Grid, split.LaneBits, x, mean, split.Chunk, (float)(1.0 / x.Rows), parts);
        if (split.Chunks > 1)
        {
            ColumnSums(parts, 1, 0, variance);
        }

        Alive(x, mean, variance);
    }

    /// <inheritdoc/>
    public void RowDots(double alpha, Tensor x, Tensor y, double beta, Tensor dots)
    {
        Require(y, x.Rows, x.Columns, "y");
        Require(dots, x.Rows, 1, "dots");
        var split = Split.OfRows(x.Rows, x.Columns);
        if (split.Chunks == 1)
        {
            _context.Launch("row_dots", split.Grid, split.LaneBits, x, y, split.Chunk, (float)alpha, (float)beta, dots);
        }
        else
        {
            using Scratch scratch = _context.Rent(Bytes<float>(x.Rows, split.Chunks));
            var parts = new DeviceView(scratch.Address, x.Rows, split.Chunks, split.Chunks);
            _context.Launch("row_dots", split.Grid, split.LaneBits, x, y, split.Chunk, 1f, 0f, parts);
            var pass = Pass.Rows(x.Rows, split.Chunks);
            _context.Launch("row_sums", pass.Grid, pass.LaneBits, parts, split.Chunks, (float)alpha, (float)beta, dots);
        }

        Alive(x, y, dots);
    }

    /// <inheritdoc/>
    public bool AllFinite(Tensor x)
    {
        using Scratch found = _context.Rent(sizeof(float));
        _context.Clear(found.Address, sizeof(float));
        Tensor flat = Flat(x);
        var pass = Pass.Over(flat.Rows, flat.Columns, flat);
        _context.Launch("find_not_finite", pass.Grid, pass.LaneBits, pass.Width, flat, found.Address);
        Span<float> answer = stackalloc float[1];
        _context.Download(new DeviceView(found.Address, 1, 1, 1), answer);
        Alive(x);
        return answer[0] == 0;
    }

    // ---- ActNorm ----

    /// <inheritdoc/>
    public void ActNormForward(Tensor x, Tensor shift, Tensor logScale, int rowsPerSample, Tensor y, Tensor logDet)
    {
        Require(shift, 1, x.Columns, "shift");
        Require(logScale, 1, x.Columns, "logScale");
        Require(y, x.Rows, x.Columns, "y");
        Require(logDet, logDet.Rows, 1, "logDet");
        Require(x, logDet.Rows * rowsPerSample, x.Columns, "x");
        var pass = Pass.Over(y.Rows, y.Columns, x, shift, logScale, y);
        _context.Launch("actnorm_forward", pass.Grid, pass.LaneBits, pass.Width, x, shift, logScale, y);
        _context.Launch("actnorm_log_det", Grid.Elements(logDet.Rows), logScale, rowsPerSample, logDet);
        Alive(x, shift, logScale);
        Alive(y, logDet);
    }

    /// <inheritdoc/>
    public void ActNormInverse(Tensor y, Tensor shift, Tensor logScale, Tensor x)
    {
        Require(shift, 1, y.Columns, "shift");
        Require(logScale, 1, y.Columns, "logScale");
        Require(x, y.Rows, y.Columns, "x");
        var pass = Pass.Over(x.Rows, x.Columns, y, shift, logScale, x);
        _context.Launch("actnorm_inverse", pass.Grid, pass.LaneBits, pass.Width, y, shift, logScale, x);
        Alive(y, shift, logScale);
        Alive(x);
    }

    /// <inheritdoc/>
    public void ActNormBackward(
        Tensor y, Tensor logScale, int rowsPerSample, Tensor yGradient, Tensor logDetGradient, Tensor xGradient,
        Tensor shiftGradient, Tensor logScaleGradient)
    {
        Require(logScale, 1, y.Columns, "logScale");
        Require(yGradient, y.Rows, y.Columns, "yGradient");
        Require(logDetGradient, logDetGradient.Rows, 1, "logDetGradient");
        Require(y, logDetGradient.Rows * rowsPerSample, y.Columns, "y");
        Require(xGradient, y.Rows, y.Columns, "xGradient");
        Require(shiftGradient, 1, y.Columns, "shiftGradient");
        Require(logScaleGradient, 1, y.Columns, "logScaleGradient");
        var split = Split.OfColumns(y.Rows, y.Columns);
        using Scratch scratch = _context.Rent(Bytes<float>(2 * split.Chunks, y.Columns));
        var parts = new DeviceView(scratch.Address, 2 * split.Chunks, y.Columns, y.Columns);
        _context.Launch("actnorm_backward", split.Grid, split.LaneBits, y, logScale, yGradient, split.Chunk, xGradient, parts);
        _context.Launch(
            "actnorm_sums", Grid.Elements(y.Columns), parts, logScale, rowsPerSample, logDetGradient, shiftGradient, logScaleGradient);
        Alive(y, logScale, yGradient);
        Alive(logDetGradient, xGradient);
        Alive(shiftGradient, logScaleGradient);
    }

    // sums <- alpha the sum of the rows of x + beta sums.
    private void ColumnSums(DeviceView x, double alpha, double beta, DeviceView sums)
    {
        var split = Split.OfColumns(x.Rows, x.Columns);
        if (split.Chunks == 1)
        {
            _context.Launch("column_sums", split.Grid, split.LaneBits, x, split.Chunk, (float)alpha, (float)beta, sums);
            return;
        }

        using Scratch scratch = _context.Rent(Bytes<float>(split.Chunks, x.Columns));
        var parts = new DeviceView(scratch.Address, split.Chunks, x.Columns, x.Columns);
        _context.Launch("column_sums", split.Grid, split.LaneBits, x, split.Chunk, 1f, 0f, parts);
        ColumnSums(parts, alpha, beta, sums); // far fewer rows
    }

    private static unsafe long Bytes<T>(int rows, int columns)
        where T : unmanaged => (long)rows * columns * sizeof(T);

    // As one row where there are no gaps, so that short rows do not leave threads idle.
    private static Tensor Flat(Tensor x) => x.IsContiguous ? x.Reshape(1, x.Count) : x;

    private static (Tensor X, Tensor Y) Flat(Tensor x, Tensor y) => x.IsContiguous && y.IsContiguous ? (Flat(x), Flat(y)) : (x, y);
}
