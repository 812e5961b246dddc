using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Randomness;

namespace Lipschitz.Cli;

/// <summary>Points sent to the latent space and back: what the inverse reports of each, and by how much it really missed.</summary>
/// <param name="Report">What the inverse reports.</param>
/// <param name="Errors">|x - x'|_2 of each point.</param>
internal sealed record RoundTrip(InverseReport Report, double[] Errors)
{
    /// <summary>Points of the test set that are sent, where nothing else is said.</summary>
    public const int DefaultPoints = 1000;

    /// <summary>Pictures, likewise.</summary>
    public const int DefaultPictures = 100;

    /// <summary>How many points came back within their bound.</summary>
    public int Within => Errors.Zip(Report.ErrorBounds).Count(pair => pair.First <= pair.Second);

    /// <summary>The error bound at which the inverse of a point is done, where none is asked for: 1e-4, for pictures 1e-2.</summary>
    public static double DefaultTolerance(Configuration configuration) => configuration.Model.Image is null ? 1e-4 : 1e-2;

    /// <summary>The first of the test set: 1,000 points or 100 pictures, row by row.</summary>
    public static double[] TestPoints(Configuration configuration, IPointSource data)
    {
        int count = configuration.Model.Image is null ? DefaultPoints : DefaultPictures;
        var points = new double[Math.Min(count, data.TestRows ?? count) * data.Width];
        data.Sample(new RandomKey(configuration.Seed, RandomPurpose.TestData), 0, points);
        return points;
    }

    /// <summary>Sends points there and back.</summary>
    /// <exception cref="ConvergenceException">A block is not known to be invertible, or its iterations ran out.</exception>
    public static RoundTrip Of(Flow flow, double[] points, double tolerance)
    {
        InverseReport report = flow.Inverse(flow.Forward(points), tolerance);
        return new RoundTrip(report, Distances(points, report.Points, flow.Width));
    }

    private static double[] Distances(double[] a, double[] b, int width)
    {
        var distances = new double[a.Length / width];
        for (int row = 0; row < distances.Length; row++)
        {
            double sum = 0;
            for (int i = row * width; i < (row + 1) * width; i++)
            {
                sum += (a[i] - b[i]) * (a[i] - b[i]);
            }

            distances[row] = Math.Sqrt(sum);
        }

        return distances;
    }
}
