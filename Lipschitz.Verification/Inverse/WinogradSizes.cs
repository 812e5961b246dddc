using Lipschitz.Verification.Branches;
using Lipschitz.Verification.Dense;
using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Inverse;

/// <summary>
/// Winograd's minimal filtering F(4 x 4, 3 x 3) with the points 0, +-3/4, +-3/2 and infinity, on absolute values: what its roundings are
/// relative to.
/// </summary>
/// <remarks>
/// <para>
/// A tile of outputs is A' [(G g G') . (B' d B)] A of the taps g and the 6 x 6 pixels d around it, summed over channels. Written out, each
/// computed output is a sum of products of an entry of each of A, G, B (twice), g and d, with as many factors 1 + e, |e| &lt;= 2^-24, as there
/// are roundings on its way. So it is off by at most gamma_K times the same expression in absolute values. This is not the size of the 3 x 3
/// pixels alone: products with pixels up to 3 away are added and subtracted again.
/// </para>
/// <para>
/// Roundings on the longest way, not fused: 4 in each direction of B' d B (a product, a sum, a product, a sum), 5 in each of G g G' (and the
/// rounding of 1/M'(p)), 4 in each of the last step, the product and a sum over the channels: <see cref="Roundings"/> besides the channels.
/// </para>
/// <para>
/// With M(x) = x (x^2 - a^2)(x^2 - b^2): column p of A' is (1, p, p^2, p^3), row p of G is (1, p, p^2)/M'(p), row p of B' the coefficients of
/// M(x)/(x - p); infinity takes the leading coefficients and M itself. All of A and B are exact in binary, and G is rounded up.
/// </para>
/// </remarks>
internal static class WinogradSizes
{
    /// <summary>Roundings of a way besides those of the sum over the channels, and of the bias.</summary>
    public const int Roundings = 2 * (4 + 5 + 4) + 2;

    private const int Tile = 4, Taps = 3, Pixels = Tile + Taps - 1;
    private const double P = 0.75, P2 = P * P, P3 = P * P2, Q = 1.5, Q2 = Q * Q, Q3 = Q * Q2;

    // Each product that underflows is off by up to 2^-150, as if by 2^-24 of a number of 2^-126.
    private static readonly double s_underflow = Math.ScaleB(1, -120);

    /// <summary>A' [4, 6].</summary>
    internal static double[,] Output { get; } = new[,]
    {
        { 1, 1, 1, 1, 1, 0 },
        { 0, P, -P, Q, -Q, 0 },
        { 0, P2, P2, Q2, Q2, 0 },
        { 0, P3, -P3, Q3, -Q3, 1 },
    };

    /// <summary>G [6, 3], but for the rounding of its quotients.</summary>
    internal static double[,] Weight { get; } = new[,]
    {
        { 1 / (P2 * Q2), 0, 0 },
        { 1 / (2 * P2 * (P2 - Q2)), P / (2 * P2 * (P2 - Q2)), P2 / (2 * P2 * (P2 - Q2)) },
        { 1 / (2 * P2 * (P2 - Q2)), -P / (2 * P2 * (P2 - Q2)), P2 / (2 * P2 * (P2 - Q2)) },
        { 1 / (2 * Q2 * (Q2 - P2)), Q / (2 * Q2 * (Q2 - P2)), Q2 / (2 * Q2 * (Q2 - P2)) },
        { 1 / (2 * Q2 * (Q2 - P2)), -Q / (2 * Q2 * (Q2 - P2)), Q2 / (2 * Q2 * (Q2 - P2)) },
        { 0, 0, 1 },
    };

    /// <summary>B' [6, 6].</summary>
    internal static double[,] Input { get; } = new[,]
    {
        { P2 * Q2, 0, -(P2 + Q2), 0, 1, 0 },
        { 0, -P * Q2, -Q2, P, 1, 0 },
        { 0, P * Q2, -Q2, -P, 1, 0 },
        { 0, -Q * P2, -P2, Q, 1, 0 },
        { 0, Q * P2, -P2, -Q, 1, 0 },
        { 0, P2 * Q2, 0, -(P2 + Q2), 0, 1 },
    };

    /// <summary>At least the sizes of all outputs [Pixels, Outputs] of a stage, without its bias.</summary>
    /// <param name="network">The branch.</param>
    /// <param name="stage">Its stage, with kernel 3.</param>
    /// <param name="sizes">At least the absolute values of all slices as they are computed [Pixels, TotalWidth].</param>
    public static double[] Of(BranchNetwork network, DenseStage stage, double[] sizes)
    {
        int inputs = stage.Inputs, outputs = stage.Outputs, tiles = (network.Width + Tile - 1) / Tile;
        double[][] weights = Weights(stage);
        var result = new double[network.Pixels * outputs];

        // Sums of positive numbers of fewer than 2^20 terms, of products of a dozen factors: computed to within 2^-30.
        double rounding = 1 + Math.ScaleB(1, -30);
        SymmetricMatrix.Loop(tiles * ((network.Height + Tile - 1) / Tile), true, tile =>
        {
            int top = tile / tiles * Tile, left = tile % tiles * Tile;
            double[][] pixels = [.. Enumerable.Range(0, inputs).Select(channel => Sandwich(Input, Around(top, left, channel), Pixels))];
            for (int output = 0; output < outputs; output++)
            {
                var planes = new double[Pixels * Pixels];
                Array.Fill(planes, inputs * s_underflow);
                for (int channel = 0; channel < inputs; channel++)
                {
                    double[] weight = weights[(output * inputs) + channel], pixel = pixels[channel];
                    for (int plane = 0; plane < planes.Length; plane++)
                    {
                        planes[plane] += weight[plane] * pixel[plane];
                    }
                }

                double[] all = Sandwich(Output, planes, Pixels);
                for (int k = 0; k < all.Length; k++)
                {
                    int y = top + (k / Tile), x = left + (k % Tile);
                    if (y < network.Height && x < network.Width)
                    {
                        result[(((y * network.Width) + x) * outputs) + output] = Outward.MultiplyUp(all[k], rounding);
                    }
                }
            }
        });
        return result;

        double[] Around(int top, int left, int channel)
        {
            var tile = new double[Pixels * Pixels];
            for (int k = 0; k < tile.Length; k++)
            {
                int y = top + (k / Pixels) - 1, x = left + (k % Pixels) - 1;
                bool isInside = y >= 0 && y < network.Height && x >= 0 && x < network.Width;
                tile[k] = (isInside ? sizes[(((y * network.Width) + x) * network.TotalWidth) + channel] : 0) + s_underflow;
            }

            return tile;
        }
    }

    /// <summary>At least the absolute value of every number on the way to an output, in tiles of 2 x 2 or of 4 x 4.</summary>
    /// <param name="inputs">Channels.</param>
    /// <param name="tap">At least that of every tap.</param>
    /// <param name="pixel">At least that of every pixel.</param>
    public static double Largest(int inputs, double tap, double pixel)
    {
        // The numbers of 2 x 2 tiles are smaller but for the taps: their G has rows (1/2, 1/2, 1/2).
        double plane = Outward.MultiplyUp(Math.Max(Gain(Weight), 2.25), tap), around = Outward.MultiplyUp(Gain(Input), pixel);
        double all = Outward.MultiplyUp(Gain(Output), Outward.MultiplyUp(inputs, Outward.MultiplyUp(plane, around)));
        return 2 * Math.Max(Math.Max(plane, around), all); // twice, for their roundings

        // In both directions.
        static double Gain(double[,] m)
        {
            double largest = Enumerable.Range(0, m.GetLength(0)).Max(i => Enumerable.Range(0, m.GetLength(1)).Sum(k => Math.Abs(m[i, k])));
            return largest * largest;
        }
    }

    // |G| |g| |G'| of each output and channel.
    private static double[][] Weights(DenseStage stage)
    {
        var all = new double[stage.Outputs * stage.Inputs][];
        var taps = new double[Taps * Taps];
        for (int i = 0; i < all.Length; i++)
        {
            for (int tap = 0; tap < taps.Length; tap++)
            {
                double weight = stage.Weight[(i / stage.Inputs * stage.PatchLength) + (tap * stage.Inputs) + (i % stage.Inputs)];
                taps[tap] = Math.Abs(weight) + s_underflow;
            }

            all[i] = Sandwich(Weight, taps, Taps);
        }

        return all;
    }

    // |m| x |m'| of a square x [size, size].
    private static double[] Sandwich(double[,] m, double[] x, int size)
    {
        int rows = m.GetLength(0);
        double[] half = new double[rows * size], result = new double[rows * rows];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < size; j++)
            {
                for (int k = 0; k < size; k++)
                {
                    half[(i * size) + j] += Math.Abs(m[i, k]) * x[(k * size) + j];
                }
            }

            for (int j = 0; j < rows; j++)
            {
                for (int k = 0; k < size; k++)
                {
                    result[(i * rows) + j] += half[(i * size) + k] * Math.Abs(m[j, k]);
                }
            }
        }

        return result;
    }
}
