namespace Lipschitz.Data;

/// <summary>The contents of a .npy file: numbers in row-major order and their shape.</summary>
/// <remarks>
/// Exactly one of <see cref="AsFloat32"/>, <see cref="AsFloat64"/> and <see cref="AsInt64"/> is there: what the file holds.
/// </remarks>
public sealed class NpyArray
{
    private const long LargestExactInteger = 1L << 53;
    private readonly Array _values;

    internal NpyArray(int[] shape, Array values)
    {
        Shape = shape;
        _values = values;
    }

    /// <summary>The lengths along each axis: one or two numbers.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>The number of rows: the first length.</summary>
    public int Rows => Shape[0];

    /// <summary>The number of columns: the second length, or 1 for a 1-D array.</summary>
    public int Columns => Shape.Count == 2 ? Shape[1] : 1;

    /// <summary>The numbers of an &lt;f4 file, or null.</summary>
    public float[]? AsFloat32 => _values as float[];

    /// <summary>The numbers of an &lt;f8 file, or null.</summary>
    public double[]? AsFloat64 => _values as double[];

    /// <summary>The numbers of an &lt;i8 file, or null.</summary>
    public long[]? AsInt64 => _values as long[];

    /// <summary>A copy of the numbers as float64, each exactly.</summary>
    /// <exception cref="OverflowException">An integer is larger than 2^53 in size, so that float64 may not hold it.</exception>
    public double[] ToFloat64() => _values switch
    {
        float[] values => Array.ConvertAll(values, value => (double)value),
        long[] values => Array.ConvertAll(values, Exact),
        _ => (double[])_values.Clone(),
    };

    private static double Exact(long value) =>
        value is >= -LargestExactInteger and <= LargestExactInteger
            ? value
            : throw new OverflowException($"The integer {value} is larger than 2^53, so float64 may not hold it exactly.");
}
