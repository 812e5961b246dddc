namespace Lipschitz.Names;

/// <summary>Finds what somebody who mistyped a name probably meant.</summary>
public static class Suggest
{
    private const int LongestName = 100; // beyond it nothing was mistyped, and the distance costs length squared

    /// <summary>The name in <paramref name="known"/> nearest to <paramref name="name"/>, or null where none is near.</summary>
    /// <remarks>
    /// Near means, ignoring case: at most max(1, length / 3) edits apart, or one contains the other ("two_moons" means "moons").
    /// Of equally near names the first wins.
    /// </remarks>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        if (name.Length is 0 or > LongestName)
        {
            return null;
        }

        string? nearest = null;
        int smallest = int.MaxValue;
        foreach (string candidate in known.Where(candidate => candidate.Length is > 0 and <= LongestName))
        {
            int distance = Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant());
            bool near = distance <= Math.Max(1, name.Length / 3)
                || (candidate.Length >= 3 && name.Contains(candidate, StringComparison.OrdinalIgnoreCase))
                || (name.Length >= 3 && candidate.Contains(name, StringComparison.OrdinalIgnoreCase));
            if (near && distance < smallest)
            {
                (nearest, smallest) = (candidate, distance);
            }
        }

        return nearest;
    }

    /// <summary>
    /// The least number of characters to insert, delete, replace or swap with their neighbour that turns <paramref name="a"/> into
    /// <paramref name="b"/>, no part being edited twice (the optimal string alignment distance).
    /// </summary>
    /// <remarks>Takes time proportional to the product of the lengths.</remarks>
    public static int Distance(string a, string b)
    {
        // Rows i - 2, i - 1 and i of the table of distances between the first i characters of a and the first j of b.
        int[] beforePrevious = new int[b.Length + 1];
        int[] previous = Enumerable.Range(0, b.Length + 1).ToArray();
        int[] current = new int[b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(replaced, Math.Min(previous[j], current[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    current[j] = Math.Min(current[j], beforePrevious[j - 2] + 1);
                }
            }

            (beforePrevious, previous, current) = (previous, current, beforePrevious);
        }

        return previous[b.Length];
    }
}
