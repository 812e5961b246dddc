using System.Numerics;

namespace Lipschitz.Cpu.Kernels.Convolution;

/// <summary>
/// The transforms of Winograd's minimal filtering F(m x m, 3 x 3) (Lavin and Gray 2016, arXiv:1509.09308), each on one register of
/// channels: <c>y = A'[(G g G') . (B' d B)]A</c> for a tile d of (m + 2) x (m + 2) pixels and a kernel g.
/// </summary>
/// <remarks>
/// A tile of the transformed domain has planes, <c>Size^2</c> of them; plane p of a register is at <c>address + p * plane</c>. <c>work</c> has room
/// for as many registers. The adjoints are those of the linear maps, so that the gradient of the weight is made of the same products.
/// </remarks>
internal unsafe interface IWinogradTile<T, TVector>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    /// <summary>m: the pixels of an edge of the result.</summary>
    static abstract int Outputs { get; }

    /// <summary>m + 2: the pixels of an edge of what is read.</summary>
    static abstract int Size { get; }

    /// <summary>planes &lt;- B' d B, d the pixels at <c>pixels[i] + channel</c>.</summary>
    static abstract void Input(T** pixels, nint channel, T* work, T* to, nint plane);

    /// <summary>pixels (m^2 registers side by side) &lt;- A' planes A.</summary>
    static abstract void Output(T* from, nint plane, T* work, T* pixels);

    /// <summary>planes &lt;- A d A', d the m^2 pixels at <c>pixels[i] + channel</c>: the adjoint of <see cref="Output"/>.</summary>
    static abstract void OutputAdjoint(T** pixels, nint channel, T* work, T* to, nint plane);

    /// <summary>planes &lt;- G g G', all registers side by side.</summary>
    static abstract void Weight(T* kernel, T* work, T* planes);

    /// <summary>kernel (9 registers side by side) &lt;- G' planes G: the adjoint of <see cref="Weight"/>.</summary>
    static abstract void WeightAdjoint(T* from, nint plane, T* work, T* kernel);
}
