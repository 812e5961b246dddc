namespace Lipschitz.Cpu;

/// <summary>The width of the vector registers that kernels use.</summary>
public enum SimdWidth
{
    /// <summary>The widest that the processor has.</summary>
    Best,

    /// <summary>128 bits: SSE, NEON, or emulated where there is neither.</summary>
    Bits128,

    /// <summary>256 bits: AVX2.</summary>
    Bits256,

    /// <summary>512 bits: AVX-512.</summary>
    Bits512,
}
