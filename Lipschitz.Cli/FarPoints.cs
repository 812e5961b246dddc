using Lipschitz.Backends;
using Lipschitz.Cpu;
using Lipschitz.Flows;
using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Cli;

/// <summary>Points so far out that float32 cannot hold their log-density: below -3.4e38.</summary>
internal static class FarPoints
{
    /// <summary>Sets log-densities that are not finite to what they are: -infinity where they are below float32's range.</summary>
    /// <param name="logDensities">One a point.</param>
    /// <param name="points">The points, all finite.</param>
    /// <param name="path">Their file, for messages.</param>
    /// <param name="load">Loads the flow that gave them.</param>
    /// <param name="configuration">That of the flow.</param>
    /// <returns>The rows that are below the range, from 0.</returns>
    /// <exception cref="NonFiniteException">A log-density is not finite in float64 either, so that the model is at fault.</exception>
    public static int[] Settle(double[] logDensities, Points points, string path, Func<IBackend, Flow> load, Configuration configuration)
    {
        int[] rows = [.. Enumerable.Range(0, logDensities.Length).Where(row => !double.IsFinite(logDensities[row]))];
        if (rows.Length == 0)
        {
            return rows;
        }

        // float64 holds them, so that a number that is too large for float32 and a broken model are not taken for each other.
        using IBackend backend = CpuBackend.Create(Precision.Float64);
        double[] values = [.. rows.SelectMany(row => points.Values[(row * points.Width)..((row + 1) * points.Width)])];
        double[] again = load(backend).LogProb(values, EstimatorFactory.Create(configuration.Evaluation.LogDet), allowNonFinite: true).Values;
        for (int i = 0; i < rows.Length; i++)
        {
            logDensities[rows[i]] = !double.IsFinite(again[i])
                ? throw new NonFiniteException($"{path}: {points.Place(rows[i])}: the log-density is not finite", rows[i])
                : again[i] < -float.MaxValue ? double.NegativeInfinity : again[i];
        }

        return [.. rows.Where(row => double.IsNegativeInfinity(logDensities[row]))];
    }
}
