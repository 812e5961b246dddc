using System.Globalization;

namespace Lipschitz.Cli.Reproduction;

/// <summary>Sentences about results, made from the numbers.</summary>
internal static class Findings
{
    // Numbers are published to two digits.
    private const double PublishedMargin = 0.01;

    /// <summary>Whether the models of a data set, the worst of the paper first, are in the paper's order.</summary>
    /// <param name="cells">All models of one data set.</param>
    public static string Order(IReadOnlyList<CellSummary> cells)
    {
        string data = cells[0].Data.Name;
        if (cells.Any(cell => !cell.IsRun))
        {
            return $"{data}: nothing can be said of the order before all of its models are run.";
        }

        // The paper's: the first is worse than the others, which may tie. Less than two standard errors apart is a tie.
        bool holds = true;
        string text = Named(cells[0]);
        for (int i = 1; i < cells.Count; i++)
        {
            double drop = cells[i - 1].Test - cells[i].Test;
            bool ties = Math.Abs(drop) < 2 * cells[i].StandardError;
            holds &= i == 1 ? drop > 0 && !ties : drop > 0 || ties;
            text += $" {(ties ? "≈" : drop > 0 ? ">" : "<")} {Named(cells[i])}";
        }

        string expected = string.Join(" ", cells.Select((cell, i) => $"{(i == 0 ? "" : i == 1 ? "> " : "≥ ")}{cell.Model.Title}"));
        int seeds = cells.Min(cell => cell.Results.Count);
        return $"{data}: {text}; the paper's order {expected} {(holds ? "holds" : "does not hold")} with {seeds} {(seeds == 1 ? "seed" : "seeds")} each"
            + " (≈: less than two standard errors of one test apart; how far seeds lie apart comes on top).";
    }

    /// <summary>Whether any cell is below the entropy of its data by more than two standard errors.</summary>
    public static string Entropy(IReadOnlyList<CellSummary> cells)
    {
        CellSummary[] known = [.. cells.Where(cell => cell is { IsRun: true, Entropy: not null })];
        CellSummary[] below = [.. known.Where(cell => cell.IsImpossible)];
        return known.Length == 0 ? "No finished cell has data of known entropy."
            : below.Length == 0 ? $"None of the {known.Length} finished cells of known entropy is below it by more than two standard errors."
            : $"BELOW THE ENTROPY by more than two standard errors, a fault or the luck of one test in forty: {List(below)}.";
    }

    /// <summary>Which cells are at most the published number and a hundredth.</summary>
    public static string Published(IReadOnlyList<CellSummary> cells)
    {
        CellSummary[] known = [.. cells.Where(cell => cell is { IsRun: true, Published: not null })];
        CellSummary[] above = [.. known.Where(cell => cell.Test > cell.Published + PublishedMargin)];
        return known.Length == 0 ? "No finished cell has a published number."
            : above.Length == 0 ? $"All {known.Length} finished cells are at most the published number + {PublishedMargin}."
            : $"Of {known.Length} finished cells, {known.Length - above.Length} are at most the published number + {PublishedMargin};"
                + $" above it: {List(above)}.";
    }

    /// <summary>Whether every finished model is proven to be invertible.</summary>
    public static string Certified(IReadOnlyList<CellSummary> cells)
    {
        CellResult[] results = [.. cells.SelectMany(cell => cell.Results)];
        CellSummary[] failed = [.. cells.Where(cell => cell.Results.Any(result => !result.Certified))];
        int scaled = results.Count(result => result.ScaledWeights > 0);
        string text = failed.Length == 0 ? $"Every block of all {results.Length} finished models is proven to be a contraction."
            : $"Not all blocks are proven to be contractions in: {List(failed)}.";
        return scaled == 0 ? text : $"{text} In {scaled} of them weights were scaled down for that before the test, which moved it by at most"
            + string.Create(CultureInfo.InvariantCulture, $" {results.Max(result => Math.Abs(result.ScalingChange)):0.0e+0} nats.");
    }

    /// <summary>How the models of a data set compare that may stretch equally, the best first.</summary>
    /// <param name="cells">All models of one data set.</param>
    public static IEnumerable<string> EqualBudget(IReadOnlyList<CellSummary> cells)
    {
        foreach (IGrouping<string, CellSummary> equal in cells.GroupBy(cell => CellText.Budget(cell.Budget)).Where(g => g.Count() > 1))
        {
            CellSummary[] run = [.. equal.Where(cell => cell.IsRun).OrderBy(cell => cell.Test)];
            yield return run.Length < 2
                ? $"{cells[0].Data.Name}, budget {equal.Key}: not enough of its models are run."
                : $"{cells[0].Data.Name}, budget {equal.Key}: {string.Join(" < ", run.Select(Named))}; the first is lower by"
                    + $" {CellText.Number(run[1].Test - run[0].Test)}, with a standard error of one test of {CellText.Number(run[0].StandardError)}"
                    + (run.Length < equal.Count() ? $" ({equal.Count() - run.Length} not yet run)." : ".");
        }
    }

    /// <summary>Which part of the way from the published number of the first model to the entropy each finished model goes.</summary>
    /// <param name="cells">All models of one data set, the published one first.</param>
    public static string Gap(IReadOnlyList<CellSummary> cells)
    {
        CellSummary first = cells[0];
        if (first.Published is not { } published || first.Entropy is not { } entropy)
        {
            return $"{first.Data.Name}: the paper's gap to the entropy is not known.";
        }

        double half = (published + entropy) / 2;
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{first.Data.Name}: the paper's gap is {published:0.00} - {entropy:0.000} = {published - entropy:0.000} nats;")
            + string.Create(CultureInfo.InvariantCulture, $" half of it is closed at {half:0.000}");
        CellSummary[] run = [.. cells.Where(cell => cell.IsRun)];
        return run.Length == 0 ? text + "; no model is run."
            : $"{text}. Part closed: {string.Join(", ", run.Select(cell => $"{cell.Model.Title} {Closed(cell, published)}"))}.";
    }

    /// <summary>The part of the way from a published number to the entropy; negative above that number.</summary>
    public static string Closed(CellSummary cell, double published) =>
        ((published - cell.Test) / (published - cell.Entropy!.Value)).ToString("0 %", CultureInfo.InvariantCulture);

    private static string Named(CellSummary cell) => $"{cell.Model.Title} {CellText.Number(cell.Test)}";

    private static string List(IEnumerable<CellSummary> cells) => string.Join(
        ", ", cells.Select(cell => $"{cell.Model.Title} on {cell.Data.Name} ({CellText.Number(cell.Test)})"));
}
