using System.Numerics;

namespace Lipschitz.Randomness;

/// <summary>
/// A pseudo-random permutation of 0, …, count - 1 that is computed place by place, without a table: the same key and count give the
/// same permutation, always.
/// </summary>
/// <remarks>
/// A Feistel network on the smallest even number of bits that holds the count, its round functions words of Philox, applied again while
/// the result lies outside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002): at most four times on average.
/// </remarks>
public readonly struct RandomPermutation
{
    private const uint Rounds = 8;
    private readonly RandomKey _key;
    private readonly int _halfBits;

    /// <summary>The permutation of a key.</summary>
    /// <param name="key">The address; nothing else should draw under it.</param>
    /// <param name="count">How many numbers it permutes.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not positive.</exception>
    public RandomPermutation(RandomKey key, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        (_key, Count) = (key, count);
        int bits = 32 - BitOperations.LeadingZeroCount((uint)count - 1);
        _halfBits = Math.Max(1, (bits + 1) / 2);
    }

    /// <summary>How many numbers it permutes.</summary>
    public int Count { get; }

    /// <summary>The number at a place.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The place is not in 0, …, <see cref="Count"/> - 1.</exception>
    public int this[int place]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(place);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(place, Count);
            uint value = (uint)place;
            do
            {
                value = Encrypt(value);
            }
            while (value >= (uint)Count); // ends: the orbit of a place comes back to it

            return (int)value;
        }
    }

    private uint Encrypt(uint value)
    {
        uint mask = (1u << _halfBits) - 1;
        uint left = value >> _halfBits, right = value & mask;
        for (uint round = 0; round < Rounds; round++)
        {
            Philox.Block(_key, right, round, out uint word, out _, out _, out _);
            (left, right) = (right, left ^ (word & mask));
        }

        return (left << _halfBits) | right;
    }
}
