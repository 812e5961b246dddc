using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Data;

/// <summary>
/// Pictures as points: each epoch in a new order that shows every training picture once, mirrored at random where asked, and
/// dequantised to (byte + U) / 256 with U uniform on [0, 1).
/// </summary>
/// <remarks>
/// Row r of step s is position s · batch + r of an endless sequence; its epoch's permutation names the picture. U is a multiple of
/// 2^-16, so that every number is one of 24 bits: exact in float32, where a finer U would be rounded to 1 now and then, and the same in
/// float64. For testing, row r is picture r, in order, never mirrored, and its noise belongs to the row.
/// </remarks>
public sealed class PictureSource : ILabelledSource
{
    private const uint TrainingNoise = 0; // the Index of the noise's key
    private const uint TestNoise = 1;
    private readonly PictureSplit _pictures;
    private readonly int _batch;
    private readonly bool _flip;

    /// <summary>A source of pictures.</summary>
    /// <param name="pictures">What to train and test on, already of the size wanted.</param>
    /// <param name="batch">Rows of a training step.</param>
    /// <param name="flip">Whether training pictures are mirrored left to right at random.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batch"/> is not positive.</exception>
    public PictureSource(PictureSplit pictures, int batch, bool flip = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        (_pictures, _batch, _flip) = (pictures, batch, flip);
    }

    /// <summary>The shape of a picture.</summary>
    public ImageShape Shape => _pictures.Training.Shape;

    /// <inheritdoc/>
    public int Width => Shape.Count;

    /// <inheritdoc/>
    public double? Entropy => null;

    /// <inheritdoc/>
    public int? TrainingRows => _pictures.Training.Count;

    /// <inheritdoc/>
    public int? TestRows => _pictures.Test.Count;

    /// <inheritdoc/>
    public int? RowsPerEpoch => _pictures.Training.Count;

    /// <inheritdoc/>
    public int Classes => _pictures.Training.Classes;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException"><paramref name="points"/> is no whole number of rows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A row is negative, or a test row is not below 2^32.</exception>
    public void Sample(RandomKey key, long firstRow, Span<double> points)
    {
        if (points.Length % Width != 0)
        {
            throw new ArgumentException($"Sample: points has length {points.Length}, expected rows of {Width}.", nameof(points));
        }

        for (int i = 0; i < points.Length / Width; i++)
        {
            Place place = Find(key, firstRow + i);
            Dequantise(place.Set.Picture(place.Picture), place.Mirrored, place.Noise, points.Slice(i * Width, Width));
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">A row is negative, or a test row is not below 2^32.</exception>
    public void Labels(RandomKey key, long firstRow, Span<int> labels)
    {
        for (int i = 0; i < labels.Length; i++)
        {
            Place place = Find(key, firstRow + i);
            labels[i] = place.Set.Label(place.Picture);
        }
    }

    private Place Find(RandomKey key, long row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        if (key.Purpose == RandomPurpose.TestData)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(row, uint.MaxValue);
            PictureSet test = _pictures.Test;
            return new Place(test, (int)(row % test.Count), false, Stream(key, RandomPurpose.Dequantisation, row, TestNoise));
        }

        PictureSet training = _pictures.Training;
        long position = checked((key.Step * (long)_batch) + row);
        var order = new RandomPermutation(
            new RandomKey(key.Seed, RandomPurpose.TrainingData, checked((uint)(position / training.Count))), training.Count);
        bool mirrored = _flip && Stream(key, RandomPurpose.Augmentation, position, 0).NextSign() < 0;
        return new Place(
            training, order[(int)(position % training.Count)], mirrored, Stream(key, RandomPurpose.Dequantisation, position, TrainingNoise));
    }

    // The numbers of one position; its high half takes the place of the step in the address.
    private static RandomSource Stream(RandomKey key, RandomPurpose purpose, long position, uint index) =>
        new(new RandomKey(key.Seed, purpose, (uint)(position >> 32), index), (uint)position);

    private void Dequantise(ReadOnlySpan<byte> picture, bool mirrored, RandomSource noise, Span<double> point)
    {
        const double unit = 1.0 / (1 << 24);
        (int width, int channels) = (Shape.Width, Shape.Channels);
        uint word = 0;
        int t = 0;
        for (int pixel = 0; pixel < Shape.Pixels; pixel++)
        {
            int x = pixel % width;
            int source = (mirrored ? pixel - x + (width - 1 - x) : pixel) * channels;
            for (int c = 0; c < channels; c++, t++)
            {
                word = (t & 1) == 0 ? noise.NextUInt32() : word >> 16; // two numbers of 16 bits a word
                point[t] = ((picture[source + c] << 16) | (int)(word & 0xFFFF)) * unit;
            }
        }
    }

    private readonly record struct Place(PictureSet Set, int Picture, bool Mirrored, RandomSource Noise);
}
