namespace Lipschitz.Randomness;

/// <summary>Reads the words of one row under one key, in order: the same key and row give the same sequence, always.</summary>
/// <remarks>
/// A mutable struct, so that a source per sample costs no allocation; pass it by <c>ref</c>, since a copy repeats the
/// numbers of its original. It reads the same words as <see cref="NormalDraws"/>: give the two different keys. A row holds
/// 2^34 words and then repeats.
/// </remarks>
public struct RandomSource
{
    private readonly RandomKey _key;
    private readonly uint _row;
    private uint _draw;
    private uint _second;
    private uint _third;
    private uint _fourth;
    private int _wordsLeft;
    private double _spareNormal;
    private bool _hasSpareNormal;

    /// <summary>Starts at the first word of <paramref name="row"/> under <paramref name="key"/>.</summary>
    public RandomSource(RandomKey key, uint row = 0)
    {
        _key = key;
        _row = row;
    }

    /// <summary>The next word: 32 independent fair bits.</summary>
    public uint NextUInt32()
    {
        switch (_wordsLeft--)
        {
            case 3: return _second;
            case 2: return _third;
            case 1: return _fourth;
            default:
                Philox.Block(_key, _row, _draw++, out uint first, out _second, out _third, out _fourth);
                _wordsLeft = 3;
                return first;
        }
    }

    /// <summary>Uniform on the multiples of 2^-53 in [0, 1); takes two words.</summary>
    public double NextDouble()
    {
        ulong high = NextUInt32() >> 5;
        ulong low = NextUInt32() >> 6;
        return ((high << 26) | low) * (1.0 / (1L << 53));
    }

    /// <summary>Uniform on 0, …, <paramref name="exclusiveMax"/> - 1, without bias.</summary>
    /// <remarks>Lemire, "Fast Random Integer Generation in an Interval" (2019): rejects the words that would favour some values.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="exclusiveMax"/> is not positive.</exception>
    public int NextInt(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        uint range = (uint)exclusiveMax;
        ulong product = (ulong)NextUInt32() * range;
        if ((uint)product < range)
        {
            uint rejected = (0 - range) % range; // 2^32 mod range
            while ((uint)product < rejected)
            {
                product = (ulong)NextUInt32() * range;
            }
        }

        return (int)(product >> 32);
    }

    /// <summary>Standard normal, by Box and Muller: two words give sqrt(-2 ln u1) cos(2π u2), then the same with sin.</summary>
    /// <remarks>u1 is a multiple of 2^-32 in (0, 1], so no number exceeds sqrt(64 ln 2) = 6.66 in size.</remarks>
    public double NextNormal()
    {
        if (_hasSpareNormal)
        {
            _hasSpareNormal = false;
            return _spareNormal;
        }

        double u1 = (NextUInt32() + 1.0) * (1.0 / (1L << 32));
        double u2 = NextUInt32() * (1.0 / (1L << 32));
        double radius = Math.Sqrt(-2 * Math.Log(u1));
        (double sin, double cos) = Math.SinCos(2 * Math.PI * u2);
        _spareNormal = radius * sin;
        _hasSpareNormal = true;
        return radius * cos;
    }

    /// <summary>+1 or -1, each with probability 1/2; takes one word.</summary>
    public double NextSign() => NextUInt32() >> 31 == 0 ? 1 : -1;
}
