using Lipschitz.Data;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Cli;

/// <summary>How pictures come back from their latents.</summary>
/// <param name="Pictures">How many were tried.</param>
/// <param name="LargestDifference">The largest difference of a single number; a shade of grey is 1/256 = 0.0039.</param>
/// <param name="LargestError">The largest |x - x'|_2 of a picture.</param>
/// <param name="LargestErrorBound">The largest bound of it over all blocks; vacuous for deep flows, since worst cases multiply.</param>
/// <param name="LargestBlockErrorBound">The largest bound of the inverse of a single block, in the units of its own input.</param>
internal sealed record Reconstruction(
    int Pictures, double LargestDifference, double LargestError, double LargestErrorBound, double LargestBlockErrorBound);

/// <summary>Draws what a flow of pictures makes.</summary>
internal static class PictureFigures
{
    private const int MostColumns = 10;
    private const int Rows = 2; // of a band

    // A block's inverse within a hundredth of the latents' unit: two thousand numbers share that, so that no eye sees it.
    private const double Tolerance = 1e-2;

    /// <summary>Draws a grid of samples at latents that depend on the seed alone.</summary>
    /// <exception cref="ConvergenceException">The flow is not known to be invertible, or an inverse did not converge.</exception>
    public static void DrawSamples(string path, Flow flow, ImageShape shape, ulong seed)
    {
        int columns = PictureGrid.Columns(shape, MostColumns);
        PictureGrid.Write(path, flow.Sample(3 * columns, seed, Tolerance), shape, columns);
    }

    /// <summary>
    /// Draws three bands of pictures below each other: held-out ones, what comes back when they are sent to the latent space and back, and
    /// samples.
    /// </summary>
    /// <exception cref="ConvergenceException">The flow is not known to be invertible, or an inverse did not converge.</exception>
    public static Reconstruction DrawBands(string path, Flow flow, PictureSource data, Configuration configuration)
    {
        int columns = PictureGrid.Columns(data.Shape, MostColumns), shown = Rows * columns, count = Math.Min(shown, data.TestRows ?? shown);
        var real = new double[count * data.Width];
        data.Sample(new RandomKey(configuration.Seed, RandomPurpose.TestData), 0, real);
        InverseReport back = flow.Inverse(flow.Forward(real), Tolerance);
        double[] samples = flow.Sample(shown, configuration.Seed, Tolerance);
        double[] padding = count % columns == 0 ? [] : [.. Enumerable.Repeat(1.0, (columns - (count % columns)) * data.Width)];
        PictureGrid.Write(path, (double[])[.. real, .. padding, .. back.Points, .. padding, .. samples], data.Shape, columns);
        return Measure(real, back, data.Width);
    }

    private static Reconstruction Measure(double[] real, InverseReport back, int width)
    {
        double largest = 0, error = 0;
        for (int row = 0; row < real.Length / width; row++)
        {
            double squares = 0;
            for (int i = row * width; i < (row + 1) * width; i++)
            {
                double difference = Math.Abs(real[i] - back.Points[i]);
                largest = Math.Max(largest, difference);
                squares += difference * difference;
            }

            error = Math.Max(error, Math.Sqrt(squares));
        }

        return new Reconstruction(
            real.Length / width, largest, error, back.ErrorBounds.DefaultIfEmpty().Max(), back.BlockErrorBounds.DefaultIfEmpty().Max());
    }
}
