using FsCheck;
using FsCheck.Fluent;

namespace Lipschitz.Properties;

/// <summary>Checks a claim on many generated cases. A failure prints the smallest case found and the seed to replay it.</summary>
/// <remarks>To replay, set LIPSCHITZ_REPLAY to the two numbers of the message: <c>LIPSCHITZ_REPLAY=seed,gamma</c>.</remarks>
internal static class Property
{
    public static readonly double Infinity = double.PositiveInfinity;

    /// <summary>The exponents of the norms that all claims about p-norms are checked for.</summary>
    public static readonly double[] Exponents = [1, 1.5, 2, 3, double.PositiveInfinity];

    public static Gen<double> Exponent => Gen.Elements(Exponents);

    /// <summary>A seed for what a case is filled with.</summary>
    public static Gen<int> Seed => Gen.Choose(0, int.MaxValue - 1);

    /// <summary>Runs the check, which throws where the claim fails.</summary>
    public static void Holds<T>(Gen<T> cases, Action<T> check, int tests = 300)
    {
        Config config = Config.QuickThrowOnFailure.WithMaxTest(tests).WithQuietOnSuccess(true);
        if (Environment.GetEnvironmentVariable("LIPSCHITZ_REPLAY") is { Length: > 0 } text)
        {
            ulong[] numbers = [.. text.Split(',').Select(part => ulong.Parse(part, System.Globalization.CultureInfo.InvariantCulture))];
            config = config.WithReplay(numbers[0], numbers[1]);
        }

        Prop.ForAll(cases.ToArbitrary(), check).Check(config);
    }

    /// <summary>Fails with what was claimed unless left &lt;= right.</summary>
    public static void AtMost(double left, double right, string claim) =>
        Assert.True(left <= right, FormattableString.Invariant($"{claim}: {left:R} > {right:R}"));
}
