using System.Globalization;

namespace Lipschitz.Verification.Rounding;

/// <summary>A closed interval [Lower, Upper]; every operation encloses all results of its operands' points.</summary>
public readonly record struct Interval
{
    /// <summary>[lower, upper].</summary>
    /// <exception cref="ArgumentException">The ends are not numbers in order.</exception>
    public Interval(double lower, double upper)
    {
        if (!(lower <= upper))
        {
            throw new ArgumentException($"[{lower}, {upper}] is not an interval.");
        }

        (Lower, Upper) = (lower, upper);
    }

    /// <summary>The smallest point.</summary>
    public double Lower { get; }

    /// <summary>The largest point.</summary>
    public double Upper { get; }

    /// <summary>A point inside, near the middle.</summary>
    public double Middle => Math.Clamp((Lower / 2) + (Upper / 2), Lower, Upper);

    /// <summary>At least the distance from <see cref="Middle"/> to either end.</summary>
    public double Radius => Math.Max(Outward.SubtractUp(Upper, Middle), Outward.SubtractUp(Middle, Lower));

    /// <summary>The largest |x| in it.</summary>
    public double Magnitude => Math.Max(Math.Abs(Lower), Math.Abs(Upper));

    /// <summary>The point x.</summary>
    public static implicit operator Interval(double x) => new(x, x);

    /// <summary>The point x.</summary>
    public static Interval FromDouble(double x) => new(x, x);

    /// <summary>Encloses a + b.</summary>
    public static Interval operator +(Interval a, Interval b) => new(Outward.AddDown(a.Lower, b.Lower), Outward.AddUp(a.Upper, b.Upper));

    /// <summary>-a.</summary>
    public static Interval operator -(Interval a) => new(-a.Upper, -a.Lower);

    /// <summary>Encloses a - b.</summary>
    public static Interval operator -(Interval a, Interval b) => a + -b;

    /// <summary>Encloses a b.</summary>
    public static Interval operator *(Interval a, Interval b)
    {
        if (a.Lower == a.Upper && b.Lower == b.Upper)
        {
            return new(Outward.MultiplyDown(a.Lower, b.Lower), Outward.MultiplyUp(a.Lower, b.Lower));
        }

        double ll = a.Lower * b.Lower, lu = a.Lower * b.Upper, ul = a.Upper * b.Lower, uu = a.Upper * b.Upper;
        double low = Math.Min(Math.Min(ll, lu), Math.Min(ul, uu)), high = Math.Max(Math.Max(ll, lu), Math.Max(ul, uu));
        return new(Math.BitDecrement(low), Math.BitIncrement(high));
    }

    /// <summary>Encloses a / b.</summary>
    /// <exception cref="DivideByZeroException">b contains 0.</exception>
    public static Interval operator /(Interval a, Interval b)
    {
        if (b.Lower <= 0 && b.Upper >= 0)
        {
            throw new DivideByZeroException($"The divisor {b} contains 0.");
        }

        double ll = a.Lower / b.Lower, lu = a.Lower / b.Upper, ul = a.Upper / b.Lower, uu = a.Upper / b.Upper;
        double low = Math.Min(Math.Min(ll, lu), Math.Min(ul, uu)), high = Math.Max(Math.Max(ll, lu), Math.Max(ul, uu));
        return new(Math.BitDecrement(low), Math.BitIncrement(high));
    }

    /// <summary>Encloses the squares.</summary>
    public Interval Square()
    {
        double small = Lower > 0 ? Lower : Upper < 0 ? -Upper : 0;
        return new(Math.Max(0, Outward.MultiplyDown(small, small)), Outward.MultiplyUp(Magnitude, Magnitude));
    }

    /// <summary>Encloses the square roots; negative points are left out.</summary>
    public Interval Sqrt() => new(Math.Max(0, Outward.SqrtDown(Math.Max(0, Lower))), Outward.SqrtUp(Math.Max(0, Upper)));

    /// <summary>The smallest interval that contains both.</summary>
    public static Interval Hull(Interval a, Interval b) => new(Math.Min(a.Lower, b.Lower), Math.Max(a.Upper, b.Upper));

    /// <summary>The points in both.</summary>
    public static Interval Intersect(Interval a, Interval b) => new(Math.Max(a.Lower, b.Lower), Math.Min(a.Upper, b.Upper));

    /// <summary>Whether x lies inside.</summary>
    public bool Contains(double x) => Lower <= x && x <= Upper;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{Lower:R}, {Upper:R}]");
}
