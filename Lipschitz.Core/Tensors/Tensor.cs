namespace Lipschitz.Tensors;

/// <summary>
/// A matrix view [rows, columns] of a buffer: element (i, j) is at <c>Offset + i * Stride + j</c>.
/// </summary>
/// <remarks>
/// Rows are samples and columns are features. A column range of a wider matrix is a view too, which is why
/// concatenating features copies nothing. Copying the struct copies the view, never the numbers.
/// </remarks>
public readonly struct Tensor
{
    /// <summary>Makes a view.</summary>
    /// <exception cref="ShapeMismatchException">The view does not fit into the buffer.</exception>
    public Tensor(DeviceBuffer buffer, int offset, int rows, int columns, int stride)
    {
        // An empty view touches nothing, so it may start anywhere, for example behind the last row.
        long last = rows == 0 || columns == 0 ? 0 : offset + ((long)(rows - 1) * stride) + columns;
        if (offset < 0 || rows < 0 || columns < 0 || (rows > 1 && stride < columns) || last > buffer.Length)
        {
            throw new ShapeMismatchException(
                $"A view [{rows}, {columns}] with stride {stride} at {offset} does not fit into a buffer of {buffer.Length} elements.");
        }

        Buffer = buffer;
        Offset = offset;
        Rows = rows;
        Columns = columns;
        Stride = stride;
    }

    /// <summary>The memory behind the view.</summary>
    public DeviceBuffer Buffer { get; }

    /// <summary>Index of element (0, 0) in the buffer.</summary>
    public int Offset { get; }

    /// <summary>Number of rows (samples).</summary>
    public int Rows { get; }

    /// <summary>Number of columns (features).</summary>
    public int Columns { get; }

    /// <summary>Distance in elements between the starts of two rows.</summary>
    public int Stride { get; }

    /// <summary>Rows times columns.</summary>
    public int Count => Rows * Columns;

    /// <summary>Whether the elements lie side by side without gaps.</summary>
    public bool IsContiguous => Rows <= 1 || Stride == Columns;

    /// <summary>The view of rows <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/> - 1.</summary>
    /// <exception cref="ShapeMismatchException">The range leaves the view.</exception>
    public Tensor RowRange(int start, int count)
    {
        if (start < 0 || count < 0 || start + count > Rows)
        {
            throw new ShapeMismatchException($"Rows {start}..{start + count} leave the view {this}.");
        }

        return new Tensor(Buffer, Offset + (start * Stride), count, Columns, Stride);
    }

    /// <summary>The view of columns <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/> - 1.</summary>
    /// <exception cref="ShapeMismatchException">The range leaves the view.</exception>
    public Tensor ColumnRange(int start, int count)
    {
        if (start < 0 || count < 0 || start + count > Columns)
        {
            throw new ShapeMismatchException($"Columns {start}..{start + count} leave the view {this}.");
        }

        return new Tensor(Buffer, Offset + start, Rows, count, Stride);
    }

    /// <summary>The same elements in row-major order as [<paramref name="rows"/>, <paramref name="columns"/>].</summary>
    /// <exception cref="ShapeMismatchException">The view has gaps or the counts differ.</exception>
    public Tensor Reshape(int rows, int columns)
    {
        if (!IsContiguous || rows * columns != Count)
        {
            throw new ShapeMismatchException($"The view {this} cannot be read as [{rows}, {columns}].");
        }

        return new Tensor(Buffer, Offset, rows, columns, columns);
    }

    /// <inheritdoc/>
    public override string ToString() => IsContiguous ? $"[{Rows}, {Columns}]" : $"[{Rows}, {Columns}; stride {Stride}]";
}
