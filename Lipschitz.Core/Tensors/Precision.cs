namespace Lipschitz.Tensors;

/// <summary>The number format of every buffer of a backend; chosen once, when the backend is made.</summary>
public enum Precision
{
    /// <summary>IEEE binary32: what training and inference use.</summary>
    Float32,

    /// <summary>IEEE binary64: what the derivative tests and the exact checks use.</summary>
    Float64,
}
