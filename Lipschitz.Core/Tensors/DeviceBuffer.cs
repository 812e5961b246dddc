namespace Lipschitz.Tensors;

/// <summary>A contiguous run of numbers in memory that one backend owns; only that backend looks inside.</summary>
public abstract class DeviceBuffer
{
    /// <summary>Makes the description of a buffer.</summary>
    /// <param name="precision">The number format of each element.</param>
    /// <param name="length">The number of elements.</param>
    protected DeviceBuffer(Precision precision, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Precision = precision;
        Length = length;
    }

    /// <summary>The number format of each element.</summary>
    public Precision Precision { get; }

    /// <summary>The number of elements.</summary>
    public int Length { get; }
}
