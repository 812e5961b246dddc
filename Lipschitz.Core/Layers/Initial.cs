using Lipschitz.Randomness;

namespace Lipschitz.Layers;

/// <summary>Initial numbers of parameters; <c>row</c> tells apart the several families of one layer.</summary>
internal static class Initial
{
    public const uint WeightRow = 0;
    public const uint BiasRow = 1;
    public const uint LeftVectorRow = 2;
    public const uint RightVectorRow = 3;

    /// <summary>count draws from U(-range, range).</summary>
    public static double[] Uniform(int count, double range, RandomKey key, uint row)
    {
        var values = new double[count];
        UniformDraws(range, key, row)(values);
        return values;
    }

    /// <summary>The draws of <see cref="Uniform"/> one part after the other.</summary>
    public static Action<Span<double>> UniformDraws(double range, RandomKey key, uint row)
    {
        var random = new RandomSource(key, row);
        return numbers =>
        {
            for (int i = 0; i < numbers.Length; i++)
            {
                numbers[i] = range * ((2 * random.NextDouble()) - 1);
            }
        };
    }

    /// <summary>A uniformly random direction.</summary>
    public static double[] UnitVector(int count, RandomKey key, uint row)
    {
        var random = new RandomSource(key, row);
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
