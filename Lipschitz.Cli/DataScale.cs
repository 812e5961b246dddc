using Lipschitz.Data;
using Lipschitz.Models;
using Lipschitz.Randomness;

namespace Lipschitz.Cli;

/// <summary>How large the numbers of the data are: without an ActNorm a flow fits numbers of order 1 alone.</summary>
internal static class DataScale
{
    private const int Rows = 10_000;
    private const double FarMean = 10;
    private const double LeastDeviation = 0.1;
    private const double MostDeviation = 10;

    /// <summary>What to say about columns that are far from order 1; null where none is, or the model adapts to them.</summary>
    public static string? Note(Configuration configuration, IPointSource data)
    {
        if (configuration.Model.ActNorm || data is not ArrayPoints)
        {
            return null;
        }

        var points = new double[Rows * data.Width];
        data.Sample(new RandomKey(configuration.Seed, RandomPurpose.TrainingData), 0, points);
        (int Column, double Mean, double Deviation)[] far =
        [
            .. Enumerable.Range(0, data.Width).Select(column => Moments(points, data.Width, column))
                .Where(m => Math.Abs(m.Mean) > FarMean || m.Deviation is < LeastDeviation or > MostDeviation),
        ];
        if (far.Length == 0)
        {
            return null;
        }

        string more = far.Length == 1 ? "" : $", and {far.Length - 1} more like it";
        return $"column {far[0].Column + 1} has mean {far[0].Mean:G3} and standard deviation {far[0].Deviation:G3}{more}; {configuration.Name} without ActNorm"
            + " fits numbers of order 1: standardise the columns, or use --model quick or --set model.actNorm=true";
    }

    private static (int Column, double Mean, double Deviation) Moments(double[] points, int width, int column)
    {
        double mean = 0, squares = 0;
        for (int row = 0; row < Rows; row++)
        {
            double step = points[(row * width) + column] - mean;
            mean += step / (row + 1);
            squares += step * (points[(row * width) + column] - mean);
        }

        return (column, mean, Math.Sqrt(squares / Rows));
    }
}
