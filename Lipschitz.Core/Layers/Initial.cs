using Lipschitz.Randomness;

namespace Lipschitz.Layers;

/// <summary>Initial numbers of parameters.</summary>
internal static class Initial
{
    /// <summary>count draws from U(-range, range).</summary>
    public static double[] Uniform(int count, double range, RandomSource random)
    {
        var values = new double[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = range * ((2 * random.NextDouble()) - 1);
        }

        return values;
    }

    /// <summary>A uniformly random direction.</summary>
    public static double[] UnitVector(int count, RandomSource random)
    {
        var values = new double[count];
        double norm = 0;
        for (int i = 0; i < count; i++)
        {
            values[i] = random.NextNormal();
            norm += values[i] * values[i];
        }

        norm = Math.Sqrt(norm);
        for (int i = 0; i < count; i++)
        {
            values[i] /= norm;
        }

        return values;
    }
}
