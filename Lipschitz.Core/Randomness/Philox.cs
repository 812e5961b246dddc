namespace Lipschitz.Randomness;

/// <summary>Philox4x32-10: a bijection of 128-bit counters under a 64-bit key whose outputs pass every known test of randomness.</summary>
/// <remarks>
/// Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (2011). A counter-based generator has no
/// state, so any draw can be made on any thread or device; the CUDA kernels compute the same words.
/// </remarks>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9; // the golden ratio
    private const uint Weyl1 = 0xBB67AE85; // sqrt(3) - 1

    /// <summary>
    /// The four words of draw <paramref name="draw"/> in row <paramref name="row"/>:
    /// Philox(counter = (draw, row, Step, Purpose · 2^24 + Index mod 2^24), key = (low, high half of Seed)).
    /// </summary>
    public static void Block(RandomKey key, uint row, uint draw, out uint a, out uint b, out uint c, out uint d)
    {
        uint address = ((uint)key.Purpose << 24) | (key.Index & 0xFFFFFF);
        Permute(draw, row, key.Step, address, (uint)key.Seed, (uint)(key.Seed >> 32), out a, out b, out c, out d);
    }

    /// <summary>Ten rounds on the counter (c0, c1, c2, c3) under the key (k0, k1).</summary>
    internal static void Permute(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, out uint a, out uint b, out uint c, out uint d)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0;
            ulong p1 = (ulong)Multiplier1 * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c1 = (uint)p1;
            c3 = (uint)p0;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        (a, b, c, d) = (c0, c1, c2, c3);
    }
}
