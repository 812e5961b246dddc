namespace Lipschitz.Cli;

/// <summary>Points of any dimension.</summary>
/// <param name="Values">The coordinates, point by point.</param>
/// <param name="Width">Coordinates a point.</param>
internal sealed record Points(double[] Values, int Width)
{
    /// <summary>The number of points.</summary>
    public int Count => Values.Length / Width;

    /// <summary>The line of its file that each point is from; null where it has no lines.</summary>
    public IReadOnlyList<long>? Lines { get; init; }

    /// <summary>Where a point is in its file, such as "line 7".</summary>
    /// <param name="row">Its number, from 0.</param>
    public string Place(int row) => Lines is { } lines ? $"line {lines[row]}" : $"row {row + 1}";
}
