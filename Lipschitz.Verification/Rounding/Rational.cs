using System.Numerics;

namespace Lipschitz.Verification.Rounding;

/// <summary>Numerator/Denominator in lowest terms, the denominator positive: arithmetic without any rounding.</summary>
public readonly struct Rational : IComparable<Rational>, IEquatable<Rational>
{
    private readonly BigInteger _denominatorMinusOne; // so that default(Rational) is 0/1

    /// <summary>numerator/denominator.</summary>
    /// <exception cref="DivideByZeroException">The denominator is 0.</exception>
    public Rational(BigInteger numerator, BigInteger denominator)
    {
        if (denominator.IsZero)
        {
            throw new DivideByZeroException("A rational number with denominator 0.");
        }

        BigInteger divisor = BigInteger.GreatestCommonDivisor(numerator, denominator) * denominator.Sign;
        Numerator = numerator / divisor;
        _denominatorMinusOne = (denominator / divisor) - 1;
    }

    /// <summary>The numerator.</summary>
    public BigInteger Numerator { get; }

    /// <summary>The denominator, positive.</summary>
    public BigInteger Denominator => _denominatorMinusOne + 1;

    /// <summary>The sign: -1, 0 or 1.</summary>
    public int Sign => Numerator.Sign;

    /// <summary>n.</summary>
    public static implicit operator Rational(int n) => new(n, 1);

    /// <summary>n.</summary>
    public static Rational FromInt32(int n) => new(n, 1);

    /// <summary>The number x itself: every finite double is a rational number.</summary>
    /// <exception cref="ArgumentException">x is not finite.</exception>
    public static Rational Exactly(double x)
    {
        if (!double.IsFinite(x))
        {
            throw new ArgumentException($"{x} is no rational number.", nameof(x));
        }

        if (x == 0)
        {
            return 0;
        }

        int exponent = Math.Max(Math.ILogB(x), -1022) - 52;
        BigInteger mantissa = new(Math.ScaleB(x, -exponent)); // an integer below 2^53
        return exponent >= 0 ? new(mantissa << exponent, 1) : new(mantissa, BigInteger.One << -exponent);
    }

    /// <summary>a + b.</summary>
    public static Rational operator +(Rational a, Rational b) =>
        new((a.Numerator * b.Denominator) + (b.Numerator * a.Denominator), a.Denominator * b.Denominator);

    /// <summary>a - b.</summary>
    public static Rational operator -(Rational a, Rational b) => a + -b;

    /// <summary>-a.</summary>
    public static Rational operator -(Rational a) => new(-a.Numerator, a.Denominator);

    /// <summary>a b.</summary>
    public static Rational operator *(Rational a, Rational b) => new(a.Numerator * b.Numerator, a.Denominator * b.Denominator);

    /// <summary>a / b.</summary>
    public static Rational operator /(Rational a, Rational b) => new(a.Numerator * b.Denominator, a.Denominator * b.Numerator);

    /// <summary>Whether a is less than b.</summary>
    public static bool operator <(Rational a, Rational b) => a.CompareTo(b) < 0;

    /// <summary>Whether a is greater than b.</summary>
    public static bool operator >(Rational a, Rational b) => a.CompareTo(b) > 0;

    /// <summary>Whether a is at most b.</summary>
    public static bool operator <=(Rational a, Rational b) => a.CompareTo(b) <= 0;

    /// <summary>Whether a is at least b.</summary>
    public static bool operator >=(Rational a, Rational b) => a.CompareTo(b) >= 0;

    /// <summary>Whether a equals b.</summary>
    public static bool operator ==(Rational a, Rational b) => a.Equals(b);

    /// <summary>Whether a differs from b.</summary>
    public static bool operator !=(Rational a, Rational b) => !a.Equals(b);

    /// <summary>
    /// Rational numbers around exp(x) for 0 &lt;= x &lt; terms: the Taylor sum to x^terms/terms!, and the same plus the geometric bound
    /// of the rest.
    /// </summary>
    public static (Rational Lower, Rational Upper) Exp(Rational x, int terms)
    {
        if (x < 0 || x >= terms)
        {
            throw new ArgumentOutOfRangeException(nameof(x), "The Taylor sum is bounded for 0 <= x < terms only.");
        }

        Rational sum = 1, term = 1;
        for (int k = 1; k <= terms; k++)
        {
            term = term * x / k;
            sum += term;
        }

        // The rest is at most term (r + r^2 + ..) with r = x/(terms + 1).
        Rational r = x / (terms + 1);
        return (sum, sum + (term * r / (1 - r)));
    }

    /// <inheritdoc/>
    public int CompareTo(Rational other) => (Numerator * other.Denominator).CompareTo(other.Numerator * Denominator);

    /// <inheritdoc/>
    public bool Equals(Rational other) => Numerator == other.Numerator && Denominator == other.Denominator;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Rational other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Numerator, Denominator);

    /// <inheritdoc/>
    public override string ToString() => Denominator.IsOne ? $"{Numerator}" : $"{Numerator}/{Denominator}";
}
