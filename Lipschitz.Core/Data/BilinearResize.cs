using Lipschitz.Tensors;

namespace Lipschitz.Data;

/// <summary>Resizes pictures as Pillow does, and so torchvision's Resize on its pictures: bilinear, with half-pixel centres.</summary>
/// <remarks>
/// Target pixel i has its centre at (i + 1/2) s in the source, where s is source over target size; a source pixel k whose centre is
/// nearer than max(1, s) weighs in with 1 - |distance| / max(1, s), divided by the sum of all weights. Larger is plain interpolation,
/// smaller averages. Rows first, then columns, each rounded to a byte; weights are rounded to multiples of 2^-22 and the sums are
/// integers, so that every machine gets the same bytes.
/// </remarks>
public sealed class BilinearResize
{
    private const int FractionBits = 22; // 8 bits of value, 22 of weight and a sign fit an int
    private readonly ImageShape _source;
    private readonly Weights[] _columns;
    private readonly Weights[] _rows;

    /// <summary>Prepares the weights; one object resizes any number of pictures, on any number of threads.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public BilinearResize(ImageShape source, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        _source = source;
        Target = source with { Height = height, Width = width };
        _columns = All(source.Width, width);
        _rows = All(source.Height, height);
    }

    /// <summary>The shape of a resized picture.</summary>
    public ImageShape Target { get; }

    /// <summary>target ← the source resized.</summary>
    /// <param name="source">A picture, row by row, channels last.</param>
    /// <param name="target">A picture of shape <see cref="Target"/>.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public void Apply(ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (source.Length != _source.Count || target.Length != Target.Count)
        {
            throw new ArgumentException($"{source.Length} and {target.Length} bytes, expected {_source.Count} and {Target.Count}.");
        }

        int channels = _source.Channels;
        byte[] wide = new byte[_source.Height * Target.Width * channels];
        for (int y = 0; y < _source.Height; y++)
        {
            Pass(
                _columns, channels, source.Slice(y * _source.Width * channels, _source.Width * channels),
                wide.AsSpan(y * Target.Width * channels, Target.Width * channels));
        }

        // A whole row takes part as one "pixel".
        Pass(_rows, Target.Width * channels, wide, target);
    }

    private static void Pass(Weights[] all, int stride, ReadOnlySpan<byte> source, Span<byte> target)
    {
        for (int i = 0; i < all.Length; i++)
        {
            (int first, int[] weights) = (all[i].First, all[i].Values);
            for (int c = 0; c < stride; c++)
            {
                int sum = 1 << (FractionBits - 1);
                for (int k = 0; k < weights.Length; k++)
                {
                    sum += weights[k] * source[((first + k) * stride) + c];
                }

                target[(i * stride) + c] = (byte)Math.Min(sum >> FractionBits, byte.MaxValue); // weights are not negative
            }
        }
    }

    private static Weights[] All(int source, int target)
    {
        double scale = (double)source / target;
        double support = Math.Max(1, scale);
        var all = new Weights[target];
        for (int i = 0; i < target; i++)
        {
            double centre = (i + 0.5) * scale;
            int first = Math.Max(0, (int)(centre - support + 0.5));
            int end = Math.Min(source, (int)(centre + support + 0.5));
            double[] values = new double[end - first];
            for (int k = 0; k < values.Length; k++)
            {
                values[k] = Math.Max(0, 1 - (Math.Abs(first + k + 0.5 - centre) / support));
            }

            double sum = values.Sum();
            all[i] = new Weights(first, Array.ConvertAll(values, value => (int)((value / sum * (1 << FractionBits)) + 0.5)));
        }

        return all;
    }

    private readonly record struct Weights(int First, int[] Values);
}
