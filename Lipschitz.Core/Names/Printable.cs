using System.Text;

namespace Lipschitz.Names;

/// <summary>Makes text that came from outside fit for one line of an error message.</summary>
internal static class Printable
{
    /// <summary>The text with control characters written as \uXXXX, and cut after <paramref name="maxLength"/> characters.</summary>
    public static string Line(string text, int maxLength = 1000)
    {
        var line = new StringBuilder();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, maxLength)))
        {
            // U+2028 and U+2029 break lines too; a lone surrogate cannot be written as UTF-8.
            if (char.IsControl(c) || c is '\u2028' or '\u2029' || char.IsSurrogate(c))
            {
                line.Append("\\u").Append(((int)c).ToString("x4"));
            }
            else
            {
                line.Append(c);
            }
        }

        return text.Length > maxLength ? line.Append('…').ToString() : line.ToString();
    }
}
