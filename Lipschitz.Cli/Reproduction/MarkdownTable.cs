using System.Text;

namespace Lipschitz.Cli.Reproduction;

/// <summary>A table of a Markdown text.</summary>
/// <param name="columns">The titles.</param>
internal sealed class MarkdownTable(params string[] columns)
{
    /// <summary>What stands for nothing.</summary>
    public const string None = "–";

    private readonly List<string> _lines = [Line(columns), Line([.. columns.Select(_ => "---")])];

    /// <summary>Adds a row; cells that are left out are empty.</summary>
    public void Add(params string[] cells) =>
        _lines.Add(Line([.. cells, .. Enumerable.Repeat(None, columns.Length - cells.Length)]));

    /// <summary>The lines, and an empty one.</summary>
    public override string ToString() => new StringBuilder().AppendJoin('\n', _lines).Append("\n\n").ToString();

    private static string Line(string[] cells) =>
        $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |";
}
