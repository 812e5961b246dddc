using Lipschitz.Verification.Rounding;

namespace Lipschitz.Verification.Activations;

/// <summary>
/// Encloses the slopes of any smooth function by interval branch and bound: the slope on a finite range, the caller's enclosure of it
/// outside.
/// </summary>
public static class SlopeRange
{
    /// <summary>[low, high] with low &lt;= f'(x) &lt;= high for all x, and within about <paramref name="tolerance"/> of the least such.</summary>
    /// <param name="slope">Maps an interval X to one that contains f'(x) for every x in X; narrower for narrower X.</param>
    /// <param name="range">Where <paramref name="slope"/> is used.</param>
    /// <param name="tail">Contains f'(x) for every x outside <paramref name="range"/>: the tail argument is the caller's.</param>
    /// <param name="tolerance">How close to go.</param>
    /// <param name="mostPieces">Pieces after which to stop with what is proven so far.</param>
    public static Interval Enclose(
        Func<Interval, Interval> slope, Interval range, Interval tail, double tolerance = 1e-7, int mostPieces = 200_000)
    {
        double high = Highest(slope, range, tolerance, mostPieces);
        double low = -Highest(x => -slope(x), range, tolerance, mostPieces);
        return Interval.Hull(new(Math.Min(low, high), high), tail);
    }

    // The queue holds pieces that cover the range, the one with the highest bound first; points give the value from below.
    private static double Highest(Func<Interval, Interval> slope, Interval range, double tolerance, int mostPieces)
    {
        var pieces = new PriorityQueue<Interval, double>();
        double reached = double.NegativeInfinity;
        void Add(Interval piece)
        {
            reached = Math.Max(reached, slope(piece.Middle).Lower);
            pieces.Enqueue(piece, -slope(piece).Upper);
        }

        Add(range);
        for (int k = 0; k < mostPieces; k++)
        {
            pieces.TryPeek(out Interval piece, out double minusBound);
            double middle = piece.Middle;
            if (-minusBound <= reached + tolerance || middle == piece.Lower || middle == piece.Upper)
            {
                break;
            }

            pieces.Dequeue();
            Add(new(piece.Lower, middle));
            Add(new(middle, piece.Upper));
        }

        pieces.TryPeek(out _, out double highest);
        return -highest;
    }
}
