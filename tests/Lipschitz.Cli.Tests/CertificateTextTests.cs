using System.Globalization;

namespace Lipschitz.Cli.Tests;

public sealed class CertificateTextTests
{
    [Theory]
    [InlineData(1234.4, "1.235e+3")]
    [InlineData(1234, "1.234e+3")]
    [InlineData(99_991, "1e+5")]
    [InlineData(1.0000001, "1.001e+0")]
    [InlineData(0.00012341, "1.235e-4")]
    [InlineData(1e-5, "1e-5")]
    [InlineData(1.0000000000000002e-5, "1.001e-5")]
    [InlineData(double.PositiveInfinity, "-")]
    public void Constants_of_flows_are_rounded_up(double bound, string text)
    {
        Assert.Equal(text, CertificateText.UpInPowers(bound));
        Assert.Contains($"at most {text},", CertificateText.Flow(bound, 1, isOfPictures: false), StringComparison.Ordinal);
        Assert.EndsWith($"at most {text}", CertificateText.Flow(1, bound, isOfPictures: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.1234561, "0.123457")]
    [InlineData(0.123456, "0.123456")]
    [InlineData(0.99999999, "1.000000")]
    [InlineData(1.0000001, "1.000001")]
    [InlineData(double.NaN, "-")]
    public void Bounds_of_blocks_are_rounded_up(double bound, string text) => Assert.Equal(text, CertificateText.Up(bound));

    [Fact]
    public void No_text_is_below_the_bound_or_a_digit_above()
    {
        var random = new Random(1);
        for (int i = 0; i < 10_000; i++)
        {
            double bound = Math.Pow(10, (40 * random.NextDouble()) - 20);
            double shown = double.Parse(CertificateText.UpInPowers(bound), CultureInfo.InvariantCulture);
            Assert.InRange(shown, bound, 1.0011 * bound);
            bound = random.NextDouble();
            Assert.InRange(double.Parse(CertificateText.Up(bound), CultureInfo.InvariantCulture), bound, bound + 1.0001e-6);
        }
    }
}
