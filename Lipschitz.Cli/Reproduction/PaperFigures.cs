using System.Globalization;
using System.Text;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Cli.Figures;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Randomness;

namespace Lipschitz.Cli.Reproduction;

/// <summary>Draws the paper's figures from finished runs, and writes down which runs each shows.</summary>
/// <param name="catalogue">What there is.</param>
/// <param name="folder">Where the figures go.</param>
/// <param name="backend">Where densities are evaluated.</param>
/// <param name="announce">Told which runs cannot be shown.</param>
internal sealed class PaperFigures(Catalogue catalogue, string folder, IBackend backend, Action<string> announce)
{
    private const int Cells = 130; // along a side of a density
    private const int Points = 4000; // of the data in a panel
    private const string Captions = "README.md";

    private static readonly (string File, string Caption)[] s_captions =
    [
        ("figure1.png", "Figure 1: the quarter circle of (e1, e2) with the factors that the dense layers of the trained LC models have found;"
            + " all began at the cross."),
        ("figure2a.png", "Figure 2a: points of each data set, and the densities that the models have learned of it, on the same square. Each"
            + " panel's colours run from 0 to its own highest densities, of which the topmost 0.5% share one colour: compare shapes, not brightness."),
        ("figure2b.png", "Figure 2b: tests on the way, of each data set, all on the same points (for points in the plane 10,000 of those that Table 1"
            + " is tested on). While the concatenation is held, as for half of the steps with the paper's settings, the i-DenseNet's curve is also that of + LC, which covers it."
            + " Curves rather than samples, since how fast and how far each model"
            + " comes is what sets the models apart; samples of models whose densities look alike look alike."),
        ("figure3.png", "Figure 3: heat maps of the normalised e1 and e2 of each dense layer (to the right) of each block (downwards)."),
        ("figure4.png", "Figure 4: samples of the MNIST model."),
        ("figure5.png", "Figure 5: samples of the CIFAR-10 model."),
    ];

    private readonly List<string> _files = [];
    private readonly SortedDictionary<string, string> _shown = new(StringComparer.Ordinal);

    /// <summary>Draws what the finished runs of Table 1 among these groups have to show.</summary>
    /// <returns>The files.</returns>
    public IReadOnlyList<string> Draw(IEnumerable<ExperimentGroup> groups)
    {
        foreach (ExperimentGroup group in groups.Where(group => group.Table == ResultTable.Table1))
        {
            IEnumerable<CellFolder?> shown = group.Data.SelectMany(data => group.Models.Select(model => catalogue.Shown(group, model, data)));
            Drawing[] drawings = [.. shown.OfType<CellFolder>().Select(TryLoad).OfType<Drawing>()];
            if (drawings.Length == 0)
            {
                continue;
            }

            OutputException.Guard(folder, () => Directory.CreateDirectory(folder));
            if (drawings[0].Run.Configuration.Model.Image is null)
            {
                DrawPoints(drawings, Suffix(group, data => DataSources.Shape(data.Name) is null));
            }
            else
            {
                DrawPictures(group, drawings);
            }
        }

        if (_files.Count > 0)
        {
            WriteCaptions();
        }

        return _files;
    }

    // The paper has one group of points and one of each set of pictures; figures of others have the group in their names.
    private string Suffix(ExperimentGroup group, Predicate<ExperimentData> isOfKind) =>
        group == catalogue.Experiments.Groups.First(other => other.Table == ResultTable.Table1 && other.Data.Any(data => isOfKind(data)))
            ? "" : $"-{group.Name}";

    private void DrawPoints(Drawing[] drawings, string suffix)
    {
        Drawing[] learned = [.. drawings.Where(d => d.HasLearnedFactors)];
        if (learned.Length > 0)
        {
            Save($"figure1{suffix}.png", ConcatenationCircle.Draw([.. learned.Select(d => new ConcatenationCircle.Panel(d.Data, d.Factors))]), learned);
            Save(
                $"figure3{suffix}.png", ConcatenationMaps.Draw([.. learned.Select(d => new ConcatenationMaps.Scale(d.Data, d.Factors))]), learned,
                NewFeatures([.. learned.SelectMany(d => d.Factors)]));
        }

        IGrouping<string, Drawing>[] sets = [.. drawings.GroupBy(d => d.Data)];
        Save($"figure2a{suffix}.png", DensityGrid.Draw([.. sets.Select(Densities)]), drawings);
        Save($"figure2b{suffix}.png", FigureSheet.Png([[.. sets.Select(Curves)]], 480, 400), drawings);
    }

    private void DrawPictures(ExperimentGroup group, Drawing[] drawings)
    {
        foreach (IGrouping<string, Drawing> set in drawings.GroupBy(d => d.Data))
        {
            string suffix = Suffix(group, data => data.Name == set.Key);
            Drawing best = set.Last(); // the best of the paper
            ImageSettings image = best.Run.Configuration.Model.Image!;
            string file = (set.Key == "mnist" ? "figure4" : set.Key == "cifar10" ? "figure5" : $"samples-{set.Key}") + suffix + ".png";
            try
            {
                string path = Path.Combine(folder, file);
                Runs.UseCertificate(best.Run, best: false, best.Flow);
                PictureFigures.DrawSamples(path, best.Flow, image.Shape, best.Run.Configuration.Seed);
                Note(file, [best]);
            }
            catch (ConvergenceException)
            {
                // Not known to be invertible: the table says so.
            }
            catch (CheckpointFormatException damage)
            {
                announce($"no samples of {best.Folder.Cell.Name}: {damage.Message}");
            }

            Save($"curves-{set.Key}{suffix}.png", FigureSheet.Png([[Curves(set)]], 640, 420), [.. set]);
            if (best.HasLearnedFactors)
            {
                ConcatenationMaps.Scale[] scales =
                [
                    .. FigureFiles.Factors(best.Flow).GroupBy(f => f.Scale)
                        .Select(scale => new ConcatenationMaps.Scale(scale.Key, [.. scale.Select(f => f.Factors)])),
                ];
                Save($"figure3-{set.Key}{suffix}.png", ConcatenationMaps.Draw(scales), [best], NewFeatures([.. scales.SelectMany(scale => scale.Factors)]));
            }
        }
    }

    private static DensityGrid.Row Densities(IGrouping<string, Drawing> set)
    {
        Configuration first = set.First().Run.Configuration;
        var points = new double[2 * Points];
        ToyDensities.Find(set.Key).Sample(new RandomKey(first.Seed, RandomPurpose.TrainingData), 0, points);
        PlotArea area = PlotArea.Around(points, Cells);
        double[] centres = area.CellCentres();
        return new DensityGrid.Row(
            set.Key, area, points,
            [.. set.Select(d => (d.Title, d.Flow.LogProb(centres, EstimatorFactory.Create(d.Run.Configuration.Evaluation.LogDet)).Values))]);
    }

    private static ScottPlot.Plot Curves(IGrouping<string, Drawing> set)
    {
        bool isBits = set.All(d => RunCurves.Bits(d.Run.Metrics.Read()).Tests.Count > 0);
        ComparisonFigure.Curve[] curves =
        [
            .. set.Select(d => new ComparisonFigure.Curve(
                d.Title, (isBits ? RunCurves.Bits(d.Run.Metrics.Read()) : RunCurves.Loss(d.Run.Metrics.Read())).Tests)),
        ];
        double? entropy = ToyDensities.All.FirstOrDefault(density => density.Name == set.Key)?.Entropy;
        return ComparisonFigure.NewPlot(curves, $"{set.Key}: test, {(isBits ? "bits per dimension" : "nats")}", entropy);
    }

    // How much of a concatenation is new, by layer: what the paper's remark on its heat maps is about.
    private static string NewFeatures(IReadOnlyList<ConcatenationFigure.Factors> factors)
    {
        int last = factors.Max(f => f.Block);
        string Means(IEnumerable<ConcatenationFigure.Factors> some) => string.Join(", ", some.GroupBy(f => f.Layer).OrderBy(layer => layer.Key)
            .Select(layer => layer.Average(f => f.NewFactor).ToString("0.000", CultureInfo.InvariantCulture)));
        return $"; mean normalised e2 of the layers in turn: {Means(factors)}; in the last block: {Means(factors.Where(f => f.Block == last))}"
            + " (0.707 at the start)";
    }

    private void Save(string file, byte[] png, IReadOnlyList<Drawing> shown, string remark = "")
    {
        FigureFiles.Save(folder, file, png);
        Note(file, shown, remark);
    }

    private void Note(string file, IReadOnlyList<Drawing> shown, string remark = "")
    {
        _files.Add(Path.Combine(folder, file));
        _shown[file] = string.Join(", ", shown.Select(d => string.Create(
            CultureInfo.InvariantCulture, $"{d.Folder.Cell.Name} ({d.Run.Configuration.Training.Steps:N0} steps)"))) + remark;
    }

    // Figures of groups that were not asked for now stay as they are, and so do their captions.
    private void WriteCaptions()
    {
        string path = Path.Combine(folder, Captions);
        string[] old = File.Exists(path) ? File.ReadAllLines(path) : [];
        foreach (string line in old.Where(line => line.StartsWith("- `", StringComparison.Ordinal)))
        {
            string[] parts = line[3..].Split("`: runs ", 2);
            if (parts.Length == 2 && File.Exists(Path.Combine(folder, parts[0])))
            {
                _shown.TryAdd(parts[0], parts[1]);
            }
        }

        var text = new StringBuilder($"# Figures\n\n{catalogue.Experiments.Paper}. Written by `lipschitz reproduce`; do not edit.\n\n");
        foreach ((string _, string caption) in s_captions.Where(c => _shown.Keys.Any(file => IsOf(file, c.File))))
        {
            text.Append(caption).Append("\n\n");
        }

        foreach ((string file, string runs) in _shown)
        {
            text.Append($"- `{file}`: runs {runs}\n");
        }

        OutputException.Guard(path, () => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString()))));
        _files.Add(path);
    }

    // figure3.png explains figure3-toy-muon.png as well.
    private static bool IsOf(string file, string figure) =>
        file == figure || file.StartsWith(Path.GetFileNameWithoutExtension(figure) + "-", StringComparison.Ordinal);

    private Drawing? TryLoad(CellFolder cell)
    {
        try
        {
            RunDirectory run = cell.Open()!;
            return new Drawing(cell, run, run.LoadFlow(backend));
        }
        catch (CheckpointFormatException damage)
        {
            announce($"figures without {cell.Cell.Name}: {damage.Message}");
            return null;
        }
    }

    private sealed record Drawing(CellFolder Folder, RunDirectory Run, Flow Flow)
    {
        public string Data => Folder.Cell.Data.Name;

        public string Title => Folder.Cell.Model.Title;

        public bool HasLearnedFactors =>
            Run.Configuration.Model is { Branch: BranchKind.DenseNet, Concatenation: ConcatenationKind.Learnable };

        public IReadOnlyList<ConcatenationFigure.Factors> Factors => [.. FigureFiles.Factors(Flow).Select(f => f.Factors)];
    }
}
