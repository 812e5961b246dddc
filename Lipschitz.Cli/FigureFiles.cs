using Lipschitz.Checkpoints;
using Lipschitz.Cli.Figures;
using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;
using Lipschitz.Randomness;

namespace Lipschitz.Cli;

/// <summary>Draws the figures of a run into a folder.</summary>
internal static class FigureFiles
{
    private const int Points = 10_000;
    private const int Cells = 200;

    /// <summary>Draws whatever the run has to show: density.png in two dimensions, loss.png, concatenation.png for dense blocks.</summary>
    /// <returns>The files written.</returns>
    public static List<string> Draw(string folder, RunDirectory run, Flow flow, IPointSource data)
    {
        var files = new List<string>();
        if (flow.Width == 2)
        {
            files.Add(Save(folder, "density.png", Density(run.Configuration, flow, data)));
        }

        if (Loss(run, data) is { } loss)
        {
            files.Add(Save(folder, "loss.png", loss));
        }

        List<ConcatenationFigure.Factors> factors = Factors(flow);
        if (factors.Count > 0)
        {
            files.Add(Save(folder, "concatenation.png", ConcatenationFigure.Draw(factors)));
        }

        return files;
    }

    /// <summary>The normalised e1 and e2 of every dense layer.</summary>
    public static List<ConcatenationFigure.Factors> Factors(Flow flow)
    {
        var factors = new List<ConcatenationFigure.Factors>();
        int block = 0;
        foreach (ResidualBlock residual in flow.Blocks)
        {
            block++;
            if (residual.Branch is DenseNet dense)
            {
                int layer = 0;
                foreach ((double e1, double e2) in dense.Concatenation.Factors())
                {
                    layer++;
                    double radius = dense.Concatenation.Radius;
                    factors.Add(new ConcatenationFigure.Factors(block, layer, e1 / radius, e2 / radius));
                }
            }
        }

        return factors;
    }

    private static byte[] Density(Configuration configuration, Flow flow, IPointSource data)
    {
        var points = new double[2 * Points];
        data.Sample(new RandomKey(configuration.Seed, RandomPurpose.TrainingData), 0, points);
        PlotArea area = PlotArea.Around(points, Cells);
        double[] samples = flow.Sample(Points, configuration.Seed);
        double[] logDensity = flow.LogProb(area.CellCentres(), EstimatorFactory.Create(configuration.Evaluation.LogDet)).Values;
        return DensityFigure.Draw(area, points, samples, logDensity);
    }

    private static byte[]? Loss(RunDirectory run, IPointSource data)
    {
        var steps = new List<double>();
        var losses = new List<double>();
        var tests = new List<LossFigure.Test>();
        foreach (MetricsLine line in run.Metrics.Read())
        {
            if (line.Loss is { } loss)
            {
                steps.Add(line.Step);
                losses.Add(loss);
            }

            if (line.TestNll is { } test)
            {
                tests.Add(new LossFigure.Test(line.Step, test, line.TestStandardError ?? 0));
            }
        }

        return steps.Count + tests.Count == 0 ? null : LossFigure.Draw(steps.ToArray(), losses.ToArray(), tests, data.Entropy);
    }

    private static string Save(string folder, string name, byte[] png)
    {
        string path = Path.Combine(folder, name);
        OutputException.Guard(path, () => AtomicFile.Write(path, stream => stream.Write(png)));
        return path;
    }
}
