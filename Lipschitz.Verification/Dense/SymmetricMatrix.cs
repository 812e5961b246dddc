namespace Lipschitz.Verification.Dense;

/// <summary>The lower triangle of a symmetric matrix [Size, Size], row i at <c>i * Stride</c>; what lies above the diagonal means nothing.</summary>
internal sealed class SymmetricMatrix(int size)
{
    public int Size { get; } = size;

    public int Stride { get; } = RowProducts.Stride(size);

    public double[] Values { get; } = new double[(long)size * RowProducts.Stride(size)];

    public double this[int i, int j]
    {
        get => Values[(i * (long)Stride) + j];
        set => Values[(i * (long)Stride) + j] = value;
    }

    public Span<double> Row(int i) => Values.AsSpan(i * Stride, Size);

    /// <summary>this += sign A B', lower triangle; A, B [Size, length] with the given stride. B = A makes it a Gram matrix.</summary>
    public void AddProduct(double[] a, double[] b, int stride, int length, double sign, bool parallel)
    {
        int blocks = (Size + RowProducts.Block - 1) / RowProducts.Block;
        Loop(blocks * (blocks + 1) / 2, parallel, pair =>
        {
            int row = (int)((Math.Sqrt((8.0 * pair) + 1) - 1) / 2);
            row = row * (row + 1) / 2 > pair ? row - 1 : (row + 1) * (row + 2) / 2 <= pair ? row + 1 : row;
            int column = pair - (row * (row + 1) / 2);
            int i = row * RowProducts.Block, j = column * RowProducts.Block;
            RowProducts.Accumulate(
                a.AsSpan(i * stride), stride, Math.Min(RowProducts.Block, Size - i), b.AsSpan(j * stride), stride,
                Math.Min(RowProducts.Block, Size - j), length, sign, Values.AsSpan((i * Stride) + j), Stride);
        });
    }

    /// <summary>
    /// this &lt;- the lower Cholesky factor; false when a pivot is not positive, and then the numbers mean nothing. Blocked, by rows: each
    /// entry is one sum of products in some order, which is what the error bound assumes.
    /// </summary>
    public bool TryFactor(bool parallel)
    {
        const int Block = RowProducts.Block;
        for (int j = 0; j < Size; j += Block)
        {
            int width = Math.Min(Block, Size - j), start = j;
            Update(j, j, width, width);
            if (!FactorDiagonal(j, width))
            {
                return false;
            }

            int below = Size - (j + width);
            Loop((below + Block - 1) / Block, parallel, block =>
            {
                int i = start + width + (block * Block), rows = Math.Min(Block, Size - i);
                Update(i, start, rows, width);
                SolveRows(i, rows, start, width);
            });
        }

        return true;
    }

    public static void Loop(int count, bool parallel, Action<int> body)
    {
        if (parallel && count > 1)
        {
            Parallel.For(0, count, BoundedLoop.Inner, body);
            return;
        }

        for (int i = 0; i < count; i++)
        {
            body(i);
        }
    }

    private void Update(int i, int j, int rows, int columns) => RowProducts.Accumulate(
        Values.AsSpan(i * Stride), Stride, rows, Values.AsSpan(j * Stride), Stride, columns, j, -1, Values.AsSpan((i * Stride) + j), Stride);

    private bool FactorDiagonal(int j, int width)
    {
        for (int i = j; i < j + width; i++)
        {
            SolveRow(i, j, i - j);
            ReadOnlySpan<double> row = Values.AsSpan((i * Stride) + j, i - j);
            double pivot = this[i, i] - RowProducts.Dot(row, row);
            if (!(pivot > 0) || !double.IsFinite(pivot))
            {
                return false;
            }

            this[i, i] = Math.Sqrt(pivot);
        }

        return true;
    }

    private void SolveRows(int i, int rows, int j, int width)
    {
        for (int k = i; k < i + rows; k++)
        {
            SolveRow(k, j, width);
        }
    }

    private void SolveRow(int i, int j, int width)
    {
        Span<double> row = Values.AsSpan((i * Stride) + j, width);
        for (int p = 0; p < width; p++)
        {
            ReadOnlySpan<double> other = Values.AsSpan(((j + p) * Stride) + j, p + 1);
            row[p] = (row[p] - RowProducts.Dot(row[..p], other[..p])) / other[p];
        }
    }
}
