using Lipschitz.Verification.Certificates;
using Spectre.Console;

namespace Lipschitz.Cli;

/// <summary>How bounds of blocks are shown.</summary>
internal static class CertificateText
{
    /// <summary>The columns of a table, the first for names, the others for numbers.</summary>
    public static Table Columns(string first, params string[] others)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn(first);
        foreach (string title in others)
        {
            table.AddColumn(new TableColumn(title).RightAligned());
        }

        return table;
    }

    /// <summary>A bound, rounded up to what is shown.</summary>
    public static string Up(double bound, int digits = 6) =>
        double.IsFinite(bound) ? AtLeast(bound, $"F{digits}", Math.Pow(10, -digits)) : "-";

    /// <summary>A positive bound of any size, rounded up to four digits.</summary>
    public static string UpInPowers(double bound) =>
        double.IsFinite(bound) ? AtLeast(bound, "0.###e+0", Math.Pow(10, Math.Floor(Math.Log10(bound)) - 3)) : "-";

    /// <summary>The constants of a whole flow.</summary>
    public static string Flow(double lipschitz, double inverse, bool isOfPictures) =>
        $"whole flow: Lipschitz constant at most {UpInPowers(lipschitz)}{(isOfPictures ? " on pictures with numbers in [0, 1]" : "")},"
        + $" that of the inverse at most {UpInPowers(inverse)}";

    /// <summary>Why a flow is not certified: the first block not below 1, its layer furthest above the coefficient, and by how much.</summary>
    public static string Reason(FlowCertificate certificate)
    {
        BlockCertificate[] failed = [.. certificate.Blocks.Where(block => !(block.Branch.Lipschitz < 1))];
        BlockCertificate first = failed[0];
        WeightClaim layer = first.Branch.Weights.MaxBy(weight => weight.Bound)!;
        double coefficient = certificate.Model.Coefficient, l = first.Branch.Lipschitz;
        string more = failed.Length == 1 ? "" : $" (and {failed.Length - 1} more blocks)";
        string target = layer.Bound > coefficient * 1.0001
            ? $"{100 * ((layer.Bound / coefficient) - 1):0.00}% above the coefficient {coefficient}"
            : $"the largest of the block, but within the coefficient {coefficient}";
        return $"{first.Name} is not certified: Lip(g) <= {Up(l)}, {Up(l - 1)} too much{more};"
            + $" layer {layer.Name} has norm {Up(layer.Bound)}, {target}; lipschitz certify would scale it down";
    }

    // Formats round to nearest. Texts are compared as whoever reads them back has them.
    private static string AtLeast(double bound, string format, double step)
    {
        double shown = bound;
        while (double.Parse(shown.ToString(format)) < bound)
        {
            shown += step;
        }

        return shown.ToString(format);
    }
}
