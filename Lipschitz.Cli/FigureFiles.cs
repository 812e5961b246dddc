using Lipschitz.Checkpoints;
using Lipschitz.Cli.Figures;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;
using Lipschitz.Randomness;

namespace Lipschitz.Cli;

/// <summary>The figures of a run that were drawn.</summary>
/// <param name="Files">Where they are.</param>
/// <param name="Reconstruction">How pictures came back; null for points.</param>
/// <param name="Missing">Which figure could not be drawn, and why; null where all were.</param>
internal sealed record DrawnFigures(List<string> Files, Reconstruction? Reconstruction, string? Missing)
{
    /// <summary>Says how pictures came back, or why not.</summary>
    public void Write(TextWriter text)
    {
        if (Reconstruction is { } back)
        {
            text.WriteLine(
                $"inverse     {back.Pictures} pictures came back within {back.LargestDifference:0.0e+0} a number, {back.LargestError:0.0e+0} a picture"
                + $" (bound of a block {back.LargestBlockErrorBound:0.0e+0})");
        }

        if (Missing is not null)
        {
            text.WriteLine($"not drawn   {Missing}");
        }
    }
}

/// <summary>Draws the figures of a run into a folder.</summary>
internal static class FigureFiles
{
    private const string DensityFile = "density.png";
    private const string PicturesFile = "pictures.png";
    private const int Points = 10_000;
    private const int Cells = 200;

    /// <summary>
    /// Draws whatever the run has to show: density.png in two dimensions; pictures.png (held-out, given back, sampled) and bits.png for pictures;
    /// loss.png; concatenation.png for dense blocks.
    /// </summary>
    public static DrawnFigures Draw(string folder, RunDirectory run, Flow flow, IPointSource data)
    {
        var drawn = new DrawnFigures([], null, null);
        List<string> files = drawn.Files;
        if (flow.Width == 2)
        {
            drawn = Try(DensityFile, drawn, () => DrawDensity(folder, run, flow, data, drawn));
        }

        bool isClassifier = run.Configuration.Task?.Kind == TaskKind.Classification;
        if (data is PictureSource pictures && !isClassifier)
        {
            drawn = Try(PicturesFile, drawn, () => DrawPictures(folder, run, flow, pictures, drawn));
        }

        IReadOnlyList<MetricsLine> metrics = run.Metrics.Read();
        string loss = run.Configuration.Task is null ? "negative log-likelihood (nats)" : "loss (bits a picture)";
        Add("loss.png", RunCurves.Loss(metrics), loss, data.Entropy);
        Add("bits.png", RunCurves.Bits(metrics), "bits per dimension", null);
        Add("accuracy.png", RunCurves.Accuracy(metrics), "accuracy", null);
        List<(string Scale, ConcatenationFigure.Factors Factors)> factors = Factors(flow);
        if (factors.Count > 0)
        {
            files.Add(Save(folder, "concatenation.png", run.Configuration.Model.Image is null
                ? ConcatenationFigure.Draw([.. factors.Select(f => f.Factors)])
                : ConcatenationMaps.Draw([.. factors.GroupBy(f => f.Scale).Select(s => new ConcatenationMaps.Scale(s.Key, [.. s.Select(f => f.Factors)]))])));
        }

        return drawn;

        void Add(string name, RunCurves curves, string axis, double? floor)
        {
            if (!curves.IsEmpty)
            {
                files.Add(Save(folder, name, LossFigure.Draw(curves.Steps, curves.Training, curves.Tests, floor, axis)));
            }
        }
    }

    /// <summary>The normalised e1 and e2 of every dense layer, and the scale that its block is at.</summary>
    public static List<(string Scale, ConcatenationFigure.Factors Factors)> Factors(Flow flow)
    {
        var factors = new List<(string, ConcatenationFigure.Factors)>();
        int block = 0;
        foreach (ResidualBlock residual in flow.Blocks)
        {
            block++;
            if (Dense(residual.Branch) is { } dense)
            {
                string scale = dense.Convolution is { } shape ? $"{shape.Height} x {shape.Width}" : "fully connected";
                int layer = 0;
                foreach ((double e1, double e2) in dense.Concatenation.Factors())
                {
                    layer++;
                    double radius = dense.Concatenation.Radius;
                    factors.Add((scale, new ConcatenationFigure.Factors(block, layer, e1 / radius, e2 / radius)));
                }
            }
        }

        return factors;
    }

    /// <summary>Writes a figure; the file appears whole or not at all.</summary>
    /// <returns>Its path.</returns>
    public static string Save(string folder, string name, byte[] png)
    {
        string path = Path.Combine(folder, name);
        OutputException.Guard(path, () => AtomicFile.Write(path, stream => stream.Write(png)));
        return path;
    }

    // A flow that is not known to be invertible is a result to report, not a failure of its training.
    private static DrawnFigures Try(string name, DrawnFigures drawn, Func<DrawnFigures> draw)
    {
        try
        {
            return draw();
        }
        catch (ConvergenceException failure)
        {
            return drawn with { Missing = $"{name}: {failure.Message}" };
        }
    }

    private static DrawnFigures DrawDensity(string folder, RunDirectory run, Flow flow, IPointSource data, DrawnFigures drawn)
    {
        drawn.Files.Add(Save(folder, DensityFile, Density(run.Configuration, flow, data)));
        return drawn;
    }

    private static DrawnFigures DrawPictures(string folder, RunDirectory run, Flow flow, PictureSource data, DrawnFigures drawn)
    {
        string path = Path.Combine(folder, PicturesFile);
        Reconstruction back = PictureFigures.DrawBands(path, flow, data, run.Configuration);
        drawn.Files.Add(path);
        return drawn with { Reconstruction = back };
    }

    private static DenseNet? Dense(ILayer branch) => branch switch
    {
        DenseNet dense => dense,
        Sequential sequential => sequential.Layers.OfType<DenseNet>().FirstOrDefault(),
        _ => null,
    };

    private static byte[] Density(Configuration configuration, Flow flow, IPointSource data)
    {
        var points = new double[2 * Points];
        data.Sample(new RandomKey(configuration.Seed, RandomPurpose.TrainingData), 0, points);
        PlotArea area = PlotArea.Around(points, Cells);
        double[] samples = flow.Sample(Points, configuration.Seed);
        double[] logDensity = flow.LogProb(area.CellCentres(), EstimatorFactory.Create(configuration.Evaluation.LogDet)).Values;
        return DensityFigure.Draw(area, points, samples, logDensity);
    }
}
