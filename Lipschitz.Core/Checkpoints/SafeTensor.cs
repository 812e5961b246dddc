using System.Runtime.InteropServices;

namespace Lipschitz.Checkpoints;

/// <summary>A named array as a checkpoint holds it: raw little-endian bytes in row-major order, with their type and shape.</summary>
/// <remarks>Two are equal when name, type, shape and every byte are.</remarks>
public sealed record SafeTensor
{
    /// <summary>Makes a named array around <paramref name="data"/>, which is not copied.</summary>
    /// <param name="name">The name.</param>
    /// <param name="type">The number format.</param>
    /// <param name="shape">The lengths along each axis; none for a single number.</param>
    /// <param name="data">The elements, little-endian, in row-major order.</param>
    /// <exception cref="ArgumentException">A length is negative, or the shape does not fit the number of bytes.</exception>
    public SafeTensor(string name, SafeTensorType type, long[] shape, byte[] data)
    {
        if (ByteCount(type, shape) != data.Length)
        {
            throw new ArgumentException($"{name}: {data.Length} bytes are not {type} numbers of shape [{string.Join(", ", shape)}].");
        }

        Name = name;
        Type = type;
        Shape = shape;
        Data = data;
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The number format.</summary>
    public SafeTensorType Type { get; }

    /// <summary>The lengths along each axis; none for a single number.</summary>
    public long[] Shape { get; }

    /// <summary>The elements, little-endian, in row-major order.</summary>
    public byte[] Data { get; }

    /// <summary>Makes an F32 array.</summary>
    /// <exception cref="ArgumentException">The shape does not fit the number of values.</exception>
    public static SafeTensor FromFloats(string name, ReadOnlySpan<float> values, params long[] shape) =>
        new(name, SafeTensorType.F32, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>Makes an F64 array.</summary>
    /// <exception cref="ArgumentException">The shape does not fit the number of values.</exception>
    public static SafeTensor FromDoubles(string name, ReadOnlySpan<double> values, params long[] shape) =>
        new(name, SafeTensorType.F64, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>Makes an I64 array.</summary>
    /// <exception cref="ArgumentException">The shape does not fit the number of values.</exception>
    public static SafeTensor FromInt64s(string name, ReadOnlySpan<long> values, params long[] shape) =>
        new(name, SafeTensorType.I64, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>The numbers of an F32, F16 or BF16 array, each exactly.</summary>
    /// <exception cref="InvalidOperationException">The array has another type, so that this would round or mislead.</exception>
    public float[] ToFloats() => Type switch
    {
        SafeTensorType.F32 => MemoryMarshal.Cast<byte, float>(Data).ToArray(),
        SafeTensorType.F16 => Convert<Half, float>(value => (float)value),
        SafeTensorType.BF16 => Convert<ushort, float>(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16)),
        _ => throw WrongType("float32"),
    };

    /// <summary>The numbers of an F64, F32, F16 or BF16 array, each exactly.</summary>
    /// <exception cref="InvalidOperationException">The array has another type.</exception>
    public double[] ToDoubles() => Type switch
    {
        SafeTensorType.F64 => MemoryMarshal.Cast<byte, double>(Data).ToArray(),
        SafeTensorType.F32 or SafeTensorType.F16 or SafeTensorType.BF16 => Array.ConvertAll(ToFloats(), value => (double)value),
        _ => throw WrongType("float64"),
    };

    /// <summary>The numbers of an integer array other than U64, each exactly.</summary>
    /// <exception cref="InvalidOperationException">The array has another type.</exception>
    public long[] ToInt64s() => Type switch
    {
        SafeTensorType.I64 => MemoryMarshal.Cast<byte, long>(Data).ToArray(),
        SafeTensorType.I32 => Convert<int, long>(value => value),
        SafeTensorType.U32 => Convert<uint, long>(value => value),
        SafeTensorType.I16 => Convert<short, long>(value => value),
        SafeTensorType.U16 => Convert<ushort, long>(value => value),
        SafeTensorType.I8 => Convert<sbyte, long>(value => value),
        SafeTensorType.U8 => Convert<byte, long>(value => value),
        _ => throw WrongType("int64"),
    };

    /// <inheritdoc/>
    public bool Equals(SafeTensor? other) =>
        other is not null && Name == other.Name && Type == other.Type
        && Shape.AsSpan().SequenceEqual(other.Shape) && Data.AsSpan().SequenceEqual(other.Data);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Type, Shape.Length, Data.Length);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Type} [{string.Join(", ", Shape)}]";

    /// <summary>The size of an array in bytes, or null where a length is negative or the size does not fit 64 bits.</summary>
    internal static long? ByteCount(SafeTensorType type, ReadOnlySpan<long> shape)
    {
        UInt128 count = (UInt128)type.ElementSize();
        foreach (long length in shape)
        {
            if (length < 0)
            {
                return null;
            }

            count *= (UInt128)length; // both factors are below 2^63
            if (count > long.MaxValue)
            {
                return null;
            }
        }

        return (long)count;
    }

    private TResult[] Convert<TStored, TResult>(Func<TStored, TResult> convert)
        where TStored : unmanaged
    {
        ReadOnlySpan<TStored> stored = MemoryMarshal.Cast<byte, TStored>(Data);
        var values = new TResult[stored.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = convert(stored[i]);
        }

        return values;
    }

    private InvalidOperationException WrongType(string wanted) =>
        new($"{Name} holds {Type} numbers, which cannot be read as {wanted} without loss.");
}
