using Lipschitz.Flows;

namespace Lipschitz.Cli;

/// <summary>Points drawn from a flow part by part, so that memory does not grow with their number.</summary>
/// <param name="flow">What to draw from.</param>
/// <param name="count">How many points.</param>
/// <param name="seed">Their seed; the parts change no number.</param>
/// <param name="tolerance">The error bound of each block at which its inverse is done.</param>
internal sealed class SampleParts(Flow flow, int count, ulong seed, double tolerance)
{
    private const int ShardsPerPart = 256;
    private double _iterations;

    /// <summary>The largest bound of the inverse of a single block so far.</summary>
    public double LargestBlockErrorBound { get; private set; }

    /// <summary>The largest bound over all blocks so far.</summary>
    public double LargestErrorBound { get; private set; }

    /// <summary>Iterations in all blocks, the mean over all points, once these are drawn.</summary>
    public double MeanIterations => _iterations / count;

    /// <summary>The points, row by row.</summary>
    /// <exception cref="InterruptedException">A stop was asked for.</exception>
    /// <exception cref="ConvergenceException">The inverse failed.</exception>
    public IEnumerable<double[]> Draw(CancellationToken stop)
    {
        int rows = ShardsPerPart * flow.ShardRows; // whole shards, which are worked on as if all points were drawn at once
        for (long first = 0; first < count; first += rows)
        {
            if (stop.IsCancellationRequested)
            {
                throw new InterruptedException($"stopped after {first} of {count}; nothing is written");
            }

            InverseReport part = flow.Inverse(flow.Latents((int)Math.Min(rows, count - first), seed, (uint)first), tolerance);
            _iterations += part.Iterations.Sum(iterations => (double)iterations);
            LargestBlockErrorBound = Math.Max(LargestBlockErrorBound, part.BlockErrorBounds.Max());
            LargestErrorBound = Math.Max(LargestErrorBound, part.ErrorBounds.Max());
            yield return part.Points;
        }
    }
}
