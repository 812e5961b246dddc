namespace Lipschitz.Cli;

/// <summary>Points of any dimension.</summary>
/// <param name="Values">The coordinates, point by point.</param>
/// <param name="Width">Coordinates a point.</param>
internal sealed record Points(double[] Values, int Width)
{
    /// <summary>The number of points.</summary>
    public int Count => Values.Length / Width;
}
