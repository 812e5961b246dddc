using System.Text;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;

namespace Lipschitz.Cli.Reproduction;

/// <summary>A folder <c>results</c>: tables and figures of all that is finished.</summary>
/// <param name="catalogue">What there is.</param>
/// <param name="paper">The folder of the paper.</param>
/// <param name="parent">Where the folder is made.</param>
internal sealed class ResultFolder(Catalogue catalogue, string paper, string parent)
{
    private readonly string _path = Path.Combine(parent, "results");

    /// <summary>Writes the tables.</summary>
    /// <returns>The files.</returns>
    public IReadOnlyList<string> WriteTexts()
    {
        OutputException.Guard(_path, () => Directory.CreateDirectory(_path));
        var texts = new ResultTexts(catalogue, ShortName());
        var files = new List<string>();
        foreach (ResultTable table in catalogue.Experiments.Groups.Select(group => group.Table).Distinct())
        {
            (string name, string text) = table switch
            {
                ResultTable.Table1 => ("table1.md", texts.Table1()),
                ResultTable.Budget => ("budget.md", texts.Budget()),
                _ => ("beyond.md", texts.Beyond()),
            };
            string path = Path.Combine(_path, name);
            OutputException.Guard(path, () => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text))));
            files.Add(path);
        }

        return files;
    }

    /// <summary>Draws the figures of some groups.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="backend">Where densities are evaluated.</param>
    /// <param name="announce">Told which runs cannot be shown.</param>
    /// <returns>The files.</returns>
    public IReadOnlyList<string> DrawFigures(IEnumerable<ExperimentGroup> groups, IBackend backend, Action<string> announce) =>
        new PaperFigures(catalogue, Path.Combine(_path, "figures"), backend, announce).Draw(groups);

    // The same text whatever folder the command was run in: the last two parts.
    private string ShortName()
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(paper));
        return $"{Path.GetFileName(Path.GetDirectoryName(full))}/{Path.GetFileName(full)}".TrimStart('/');
    }
}
