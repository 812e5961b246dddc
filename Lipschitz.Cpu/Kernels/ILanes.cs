using System.Numerics;

namespace Lipschitz.Cpu.Kernels;

/// <summary>
/// The operations of one SIMD register <typeparamref name="TVector"/> of numbers <typeparamref name="T"/>: kernels are written once
/// against it and specialised by the JIT for each width, so that no call in a hot loop is virtual.
/// </summary>
internal unsafe interface ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Numbers in a register.</summary>
    static abstract int Count { get; }

    /// <summary>The part of a backend's name that tells the width.</summary>
    static abstract string Name { get; }

    static abstract TVector Load(T* source);

    static abstract void Store(TVector value, T* destination);

    /// <summary>The first <paramref name="count"/> numbers (fewer than a register), then zeros; reads nothing beyond.</summary>
    static abstract TVector LoadPartial(T* source, nint count);

    /// <summary>Writes the first <paramref name="count"/> numbers (fewer than a register) and nothing beyond.</summary>
    static abstract void StorePartial(TVector value, T* destination, nint count);

    static abstract TVector Broadcast(T value);

    static abstract TVector Add(TVector x, TVector y);

    static abstract TVector Subtract(TVector x, TVector y);

    static abstract TVector Multiply(TVector x, TVector y);

    static abstract TVector Divide(TVector x, TVector y);

    static abstract TVector SquareRoot(TVector x);

    /// <summary>x y + z: fused where the hardware has it, else a multiplication and an addition.</summary>
    static abstract TVector MultiplyAdd(TVector x, TVector y, TVector z);

    /// <summary>x &lt; y ? x : y, so that a NaN in y comes through.</summary>
    static abstract TVector Min(TVector x, TVector y);

    /// <summary>x &gt; y ? x : y, so that a NaN in y comes through.</summary>
    static abstract TVector Max(TVector x, TVector y);

    static abstract TVector Abs(TVector x);

    /// <summary>All bits set in the lanes where x &lt; y.</summary>
    static abstract TVector Less(TVector x, TVector y);

    /// <summary>All bits set in the lanes where x &lt;= y.</summary>
    static abstract TVector LessOrEqual(TVector x, TVector y);

    /// <summary>x in the lanes where the mask is set, else y.</summary>
    static abstract TVector Select(TVector mask, TVector x, TVector y);

    /// <summary>Whether the mask is set in every lane.</summary>
    static abstract bool All(TVector mask);

    /// <summary>
    /// value 2^n, where shifted = n + 1.5 2^p, p the number of fraction bits, so that n is in its low bits. Scaled in two steps: results
    /// below the normal range and above the greatest number come out right.
    /// </summary>
    static abstract TVector Scale(TVector value, TVector shifted);

    /// <summary>2^n for shifted as above, where it is a normal number.</summary>
    static abstract TVector PowerOfTwo(TVector shifted);

    /// <summary>The first and the second number of each pair that two registers in a row hold.</summary>
    static abstract void Deinterleave(TVector low, TVector high, out TVector first, out TVector second);

    /// <summary>The pairs of which two registers hold the first and the second numbers: the inverse of <see cref="Deinterleave"/>.</summary>
    static abstract void Interleave(TVector first, TVector second, out TVector low, out TVector high);

    /// <summary>The sum of the lanes, halves added pairwise: a fixed order.</summary>
    static abstract T Sum(TVector x);
}
