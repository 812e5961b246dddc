using System.Text;

namespace Lipschitz.Cli.Reproduction;

/// <summary>The texts below results/: tables of all that is finished, what is not, and what follows.</summary>
/// <param name="catalogue">What there is.</param>
/// <param name="paper">The paper's folder as command lines in the texts should name it.</param>
internal sealed class ResultTexts(Catalogue catalogue, string paper)
{
    private const string Protocol =
        "Tests are of the last iterate on one fixed test set, the same for every seed and model of a data set, with the standard error over its"
        + " points; the paper reports the best of many tests on fresh batches. \"Largest block bound\" is proven, the proof's own rounding included."
        + " \"Round trip\" gives the largest error of test points sent to the latent space and back, then the largest bound of a single block's part in it, which"
        + " follows from the inverse's last step and has an allowance for rounding. \"Training\" is the time that passed, other work on the machine"
        + " included; \"hardware\" is that of the last part of a run that was interrupted.\n\n";

    private readonly List<string> _hardware = [];

    /// <summary>results/table1.md.</summary>
    public string Table1()
    {
        StringBuilder text = Begin("Table 1, reproduced").Append(Protocol);
        foreach (ExperimentGroup group in Groups(ResultTable.Table1))
        {
            IReadOnlyList<CellSummary> cells = catalogue.Summaries(group);
            text.Append($"## {group.Title}\n\n").Append(Published(cells)).Append(Missing(group, cells));
            foreach (CellSummary[] models in ByData(cells).Where(models => models.Length > 1))
            {
                text.Append($"- {Findings.Order(models)}\n");
            }

            AppendFindings(text, cells, Findings.Entropy, Findings.Published, Findings.Certified);
        }

        return End(text, ResultTable.Table1, Published);
    }

    /// <summary>results/budget.md.</summary>
    public string Budget()
    {
        StringBuilder text = Begin("Equal parameters, equal Lipschitz budgets").Append(
            "\"Budget\" is the product bound that the settings allow Lip(g) of a block; see the README beside this folder. Models of equal budget may"
            + " stretch equally, those of equal parameters need not.\n\n").Append(Protocol);
        foreach (ExperimentGroup group in Groups(ResultTable.Budget))
        {
            IReadOnlyList<CellSummary> cells = catalogue.Summaries(group);
            text.Append($"## {group.Title}\n\n").Append(Budgets(cells)).Append(Missing(group, cells));
            foreach (string line in ByData(cells).SelectMany(Findings.EqualBudget))
            {
                text.Append($"- {line}\n");
            }

            AppendFindings(text, cells, Findings.Entropy, Findings.Certified);
        }

        return End(text, ResultTable.Budget, Budgets);
    }

    /// <summary>results/beyond.md.</summary>
    public string Beyond()
    {
        StringBuilder text = Begin("Beyond the paper, at its number of parameters").Append(
            "Each row changes one thing of the first model of its data set. \"Change\" is against that model, \"gap closed\" the part of the way from"
            + " the paper's number for it to the entropy.\n\n").Append(Protocol);
        foreach (ExperimentGroup group in Groups(ResultTable.Beyond))
        {
            IReadOnlyList<CellSummary> cells = catalogue.Summaries(group);
            text.Append($"## {group.Title}\n\n").Append(Changes(cells)).Append(Missing(group, cells));
            foreach (CellSummary[] models in ByData(cells))
            {
                text.Append($"- {Findings.Gap(models)}\n");
            }

            AppendFindings(text, cells, Findings.Entropy, Findings.Certified);
        }

        return End(text, ResultTable.Beyond, Changes);
    }

    private string Published(IReadOnlyList<CellSummary> cells)
    {
        var table = new MarkdownTable(
            "data", "model", "ours", "published", "ours - published", "entropy", "ours - entropy", "seeds", "steps", "test points", "training",
            "hardware", "largest block bound", "round trip: error, block bound");
        foreach (CellSummary cell in cells)
        {
            string[] start = [cell.Data.Name, cell.Model.Title, CellText.Test(cell), CellText.Published(cell.Published)];
            table.Add(cell.IsRun
                ?
                [
                    .. start, CellText.Signed(cell.Test - cell.Published), CellText.Entropy(cell.Entropy), CellText.Signed(cell.AboveEntropy),
                    CellText.Seeds(cell), CellText.Steps(cell), CellText.Count(cell.Results[0].Points), CellText.Time(cell), Hardware(cell),
                    CellText.Bound(cell.LargestBlockBound), CellText.RoundTrip(cell),
                ]
                : [.. start, MarkdownTable.None, CellText.Entropy(cell.Entropy)]);
        }

        return table.ToString();
    }

    private string Budgets(IReadOnlyList<CellSummary> cells)
    {
        var table = new MarkdownTable(
            "data", "model", "budget", "ours", "ours - entropy", "parameters", "seeds", "steps", "training", "hardware", "largest block bound",
            "round trip: error, block bound");
        foreach (CellSummary cell in cells)
        {
            string[] start = [cell.Data.Name, cell.Model.Title, CellText.Budget(cell.Budget), CellText.Test(cell)];
            table.Add(cell.IsRun
                ?
                [
                    .. start, CellText.Signed(cell.AboveEntropy), CellText.Count(cell.Results[0].Parameters), CellText.Seeds(cell),
                    CellText.Steps(cell), CellText.Time(cell), Hardware(cell), CellText.Bound(cell.LargestBlockBound), CellText.RoundTrip(cell),
                ]
                : start);
        }

        return table.ToString();
    }

    private string Changes(IReadOnlyList<CellSummary> cells)
    {
        var table = new MarkdownTable(
            "data", "model", "ours", "change", "gap closed", "ours - entropy", "parameters", "budget", "largest block bound", "seeds", "steps",
            "training", "hardware", "round trip: error, block bound");
        foreach (CellSummary[] models in ByData(cells))
        {
            CellSummary first = models[0];
            foreach (CellSummary cell in models)
            {
                string[] start = [cell.Data.Name, cell.Model.Title, CellText.Test(cell)];
                table.Add(cell.IsRun
                    ?
                    [
                        .. start, CellText.Signed(first.IsRun && cell != first ? cell.Test - first.Test : null),
                        first.Published is { } published && cell.Entropy is not null ? Findings.Closed(cell, published) : MarkdownTable.None,
                        CellText.Signed(cell.AboveEntropy), CellText.Count(cell.Results[0].Parameters), CellText.Budget(cell.Budget),
                        CellText.Bound(cell.LargestBlockBound), CellText.Seeds(cell), CellText.Steps(cell), CellText.Time(cell), Hardware(cell),
                        CellText.RoundTrip(cell),
                    ]
                    : start);
            }
        }

        return table.ToString();
    }

    private static void AppendFindings(
        StringBuilder text, IReadOnlyList<CellSummary> cells, params Func<IReadOnlyList<CellSummary>, string>[] findings)
    {
        foreach (Func<IReadOnlyList<CellSummary>, string> finding in findings.Where(_ => cells.Any(cell => cell.IsRun)))
        {
            text.Append($"- {finding(cells)}\n");
        }

        text.Append('\n');
    }

    private IEnumerable<ExperimentGroup> Groups(ResultTable table) => catalogue.Experiments.Groups.Where(group => group.Table == table);

    private static IEnumerable<CellSummary[]> ByData(IReadOnlyList<CellSummary> cells) =>
        cells.GroupBy(cell => cell.Data.Name).Select(group => group.ToArray());

    private StringBuilder Begin(string title)
    {
        _hardware.Clear();
        return new StringBuilder($"# {title}\n\n{catalogue.Experiments.Paper}. Written by `lipschitz reproduce {paper}`; do not edit.\n\n");
    }

    private string Missing(ExperimentGroup group, IReadOnlyList<CellSummary> cells)
    {
        int missing = cells.Count(cell => !cell.IsRun);
        string[] pictures = [.. group.Data.Select(data => data.Name).Where(name => DataSources.Shape(name) is not null)];
        string places = string.Concat(pictures.Select(name => $" --data {name}=PATH"));
        return missing == 0 ? "" : $"{missing} of {cells.Count} cells are not finished; run them with"
            + $" `lipschitz reproduce {paper} --only {group.Name}{places}`.\n\n";
    }

    // Trials come last, in tables of their own.
    private string End(StringBuilder text, ResultTable table, Func<IReadOnlyList<CellSummary>, string> rows)
    {
        foreach (ExperimentGroup group in Groups(table))
        {
            foreach (long steps in catalogue.Trials(group))
            {
                IReadOnlyList<CellSummary> cells = catalogue.Summaries(group, steps);
                if (cells.Any(cell => cell.IsRun))
                {
                    text.Append($"## {group.Title}: a trial of {CellText.Count(steps)} steps, not the experiment\n\n").Append(rows(cells));
                }
            }
        }

        for (int i = 0; i < _hardware.Count; i++)
        {
            text.Append($"Hardware {Letter(i)}: {_hardware[i]}.\n");
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private string Hardware(CellSummary cell) => string.Join(", ", cell.Results.Select(Hardware).Distinct());

    private string Hardware(CellResult result)
    {
        string text = $"{result.Processor}, {result.Backend}, {result.Threads} {(result.Threads == 1 ? "thread" : "threads")}"
            + (result.TrainedHere ? "" : " in the test; the training was done before by `lipschitz train`, perhaps with others");
        int index = _hardware.IndexOf(text);
        if (index < 0)
        {
            index = _hardware.Count;
            _hardware.Add(text);
        }

        return Letter(index);
    }

    private static string Letter(int index) => ((char)('A' + index)).ToString();
}
