namespace Lipschitz.Checkpoints;

/// <summary>The number formats of safetensors whose elements are whole bytes; the names are those in the file.</summary>
public enum SafeTensorType
{
    /// <summary>A byte that is 0 or 1.</summary>
    BOOL,

    /// <summary>Unsigned, 8 bits.</summary>
    U8,

    /// <summary>Signed, 8 bits.</summary>
    I8,

    /// <summary>Floating point, 8 bits: 5 of exponent, 2 of mantissa.</summary>
    F8_E5M2,

    /// <summary>Floating point, 8 bits: 4 of exponent, 3 of mantissa.</summary>
    F8_E4M3,

    /// <summary>Signed, 16 bits.</summary>
    I16,

    /// <summary>Unsigned, 16 bits.</summary>
    U16,

    /// <summary>IEEE binary16.</summary>
    F16,

    /// <summary>The upper half of an IEEE binary32.</summary>
    BF16,

    /// <summary>Signed, 32 bits.</summary>
    I32,

    /// <summary>Unsigned, 32 bits.</summary>
    U32,

    /// <summary>IEEE binary32.</summary>
    F32,

    /// <summary>IEEE binary64.</summary>
    F64,

    /// <summary>Signed, 64 bits.</summary>
    I64,

    /// <summary>Unsigned, 64 bits.</summary>
    U64,
}

/// <summary>Facts about <see cref="SafeTensorType"/>.</summary>
public static class SafeTensorTypes
{
    /// <summary>The size of one element in bytes: 1, 2, 4 or 8.</summary>
    public static int ElementSize(this SafeTensorType type) => type switch
    {
        < SafeTensorType.I16 => 1,
        < SafeTensorType.I32 => 2,
        < SafeTensorType.F64 => 4,
        _ => 8,
    };
}
