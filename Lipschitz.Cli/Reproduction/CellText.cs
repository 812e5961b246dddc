using System.Globalization;

namespace Lipschitz.Cli.Reproduction;

/// <summary>How numbers of results are written in tables.</summary>
internal static class CellText
{
    /// <summary>The mean test with its standard error, or how far the run is.</summary>
    public static string Test(CellSummary cell) => cell.IsRun
        ? $"{Number(cell.Test)} ± {Number(cell.StandardError)}{(cell.Results.All(result => result.Certified) ? "" : " (not certified)")}"
        : cell.Progress;

    /// <summary>A test result.</summary>
    public static string Number(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    /// <summary>A published number, with the digits it was published with.</summary>
    public static string Published(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? MarkdownTable.None;

    /// <summary>A difference, with its sign.</summary>
    public static string Signed(double? value) => value?.ToString("+0.0000;-0.0000;0.0000", CultureInfo.InvariantCulture) ?? MarkdownTable.None;

    /// <summary>An entropy.</summary>
    public static string Entropy(double? value) => value?.ToString("0.000", CultureInfo.InvariantCulture) ?? MarkdownTable.None;

    /// <summary>The seeds, and how far the tests of several lie apart.</summary>
    public static string Seeds(CellSummary cell)
    {
        string seeds = string.Join(", ", cell.Results.Select(result => result.Seed));
        return cell.Results.Count < 2 ? seeds
            : $"{seeds} ({Number(cell.Results.Min(result => result.Test))} to {Number(cell.Results.Max(result => result.Test))})";
    }

    /// <summary>A count, by thousands.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>The steps of the runs.</summary>
    public static string Steps(CellSummary cell) => string.Join(", ", cell.Results.Select(result => result.Steps).Distinct().Select(Count));

    /// <summary>The mean time of training.</summary>
    public static string Time(CellSummary cell) => Time(TimeSpan.FromSeconds(cell.Results.Average(result => result.Seconds)));

    /// <summary>A time to two parts.</summary>
    public static string Time(TimeSpan time) => time.TotalDays >= 2 ? $"{(int)time.TotalDays} d {time.Hours} h"
        : time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes} min"
        : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds} s"
        : time.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture);

    /// <summary>A proven bound, rounded up.</summary>
    public static string Bound(double bound) => CertificateText.Up(bound, 4);

    /// <summary>A target such as <see cref="LipschitzBudget"/>.</summary>
    public static string Budget(double? budget) => budget?.ToString("0.000", CultureInfo.InvariantCulture) ?? MarkdownTable.None;

    /// <summary>The largest error of points that were sent there and back, and the largest bound of a block's part in it.</summary>
    public static string RoundTrip(CellSummary cell) => cell.Results.Any(result => result.RoundTripError is null)
        ? "not known to be invertible"
        : $"{Small(cell.Results.Max(result => result.RoundTripError))}, {Small(cell.Results.Max(result => result.RoundTripBlockBound))}";

    private static string Small(double? value) => value?.ToString("0.0e+0", CultureInfo.InvariantCulture) ?? MarkdownTable.None;
}
