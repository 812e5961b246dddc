using Lipschitz.Checkpoints;

namespace Lipschitz.Core.Tests.Checkpoints;

public class SafeTensorTests
{
    [Fact]
    public void Numbers_come_back_as_they_went_in()
    {
        float[] floats = [1, -0f, float.NaN, float.MaxValue];
        double[] doubles = [1.0 / 3, double.NegativeInfinity];
        long[] integers = [long.MinValue, -1, long.MaxValue];
        Assert.Equal(floats, SafeTensor.FromFloats("x", floats, 2, 2).ToFloats());
        Assert.Equal(doubles, SafeTensor.FromDoubles("x", doubles, 2).ToDoubles());
        Assert.Equal(integers, SafeTensor.FromInt64s("x", integers, 3).ToInt64s());
        Assert.Equal(floats.Select(value => (double)value), SafeTensor.FromFloats("x", floats, 4).ToDoubles());
    }

    [Theory]
    [InlineData(SafeTensorType.U8, new byte[] { 0xFE }, 254)]
    [InlineData(SafeTensorType.I8, new byte[] { 0xFE }, -2)]
    [InlineData(SafeTensorType.U16, new byte[] { 0xFE, 0xFF }, 65534)]
    [InlineData(SafeTensorType.I16, new byte[] { 0xFE, 0xFF }, -2)]
    [InlineData(SafeTensorType.U32, new byte[] { 0xFE, 0xFF, 0xFF, 0xFF }, 4294967294)]
    [InlineData(SafeTensorType.I32, new byte[] { 0xFE, 0xFF, 0xFF, 0xFF }, -2)]
    public void Smaller_integers_are_widened(SafeTensorType type, byte[] data, long expected)
    {
        var tensor = new SafeTensor("x", type, [], data);
        Assert.Equal([expected], tensor.ToInt64s());
        Assert.Throws<InvalidOperationException>(() => tensor.ToFloats());
        Assert.Throws<InvalidOperationException>(() => tensor.ToDoubles());
    }

    [Theory]
    [InlineData(SafeTensorType.F16, new byte[] { 0x00, 0x3E }, 1.5f)]
    [InlineData(SafeTensorType.BF16, new byte[] { 0xC0, 0xBF }, -1.5f)]
    public void Half_precision_is_widened(SafeTensorType type, byte[] data, float expected)
    {
        var tensor = new SafeTensor("x", type, [1], data);
        Assert.Equal([expected], tensor.ToFloats());
        Assert.Equal([(double)expected], tensor.ToDoubles());
        Assert.Throws<InvalidOperationException>(() => tensor.ToInt64s());
    }

    [Fact]
    public void A_conversion_that_would_round_is_refused_by_name()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => SafeTensor.FromDoubles("weight", [1.0], 1).ToFloats());
        Assert.StartsWith("weight holds F64 numbers", exception.Message);
        Assert.Throws<InvalidOperationException>(() => new SafeTensor("x", SafeTensorType.U64, [1], new byte[8]).ToInt64s());
    }

    [Fact]
    public void A_shape_that_does_not_fit_the_bytes_is_refused()
    {
        Assert.Throws<ArgumentException>(() => SafeTensor.FromFloats("x", [1, 2], 3));
        Assert.Throws<ArgumentException>(() => new SafeTensor("x", SafeTensorType.U8, [-1, -4], new byte[4]));
        Assert.Throws<ArgumentException>(() => new SafeTensor("x", SafeTensorType.U8, [1L << 62, 4], []));
        Assert.Throws<ArgumentException>(() => new SafeTensor("x", SafeTensorType.F64, [1L << 61], []));
    }

    [Theory]
    [InlineData(SafeTensorType.BOOL, 1)]
    [InlineData(SafeTensorType.U8, 1)]
    [InlineData(SafeTensorType.I8, 1)]
    [InlineData(SafeTensorType.F8_E5M2, 1)]
    [InlineData(SafeTensorType.F8_E4M3, 1)]
    [InlineData(SafeTensorType.I16, 2)]
    [InlineData(SafeTensorType.U16, 2)]
    [InlineData(SafeTensorType.F16, 2)]
    [InlineData(SafeTensorType.BF16, 2)]
    [InlineData(SafeTensorType.I32, 4)]
    [InlineData(SafeTensorType.U32, 4)]
    [InlineData(SafeTensorType.F32, 4)]
    [InlineData(SafeTensorType.F64, 8)]
    [InlineData(SafeTensorType.I64, 8)]
    [InlineData(SafeTensorType.U64, 8)]
    public void Element_sizes_are_those_of_the_format(SafeTensorType type, int size) => Assert.Equal(size, type.ElementSize());

    [Fact]
    public void Equality_looks_at_name_type_shape_and_bytes()
    {
        SafeTensor one = SafeTensor.FromFloats("x", [1, 2], 2);
        Assert.Equal(one, SafeTensor.FromFloats("x", [1, 2], 2));
        Assert.Equal(one.GetHashCode(), SafeTensor.FromFloats("x", [1, 2], 2).GetHashCode());
        Assert.NotEqual(one, SafeTensor.FromFloats("y", [1, 2], 2));
        Assert.NotEqual(one, SafeTensor.FromFloats("x", [1, 3], 2));
        Assert.NotEqual(one, SafeTensor.FromFloats("x", [1, 2], 2, 1));
        Assert.NotEqual(one, new SafeTensor("x", SafeTensorType.I32, [2], one.Data));
    }
}
