using System.Globalization;
using System.Text.RegularExpressions;

namespace Lipschitz.Cuda.Runtime;

/// <summary>Reads the names of the kernels in a PTX text and the sizes of their parameters in bytes.</summary>
internal static partial class PtxKernels
{
    /// <summary>Name and sizes of every kernel.</summary>
    public static Dictionary<string, int[]> Parse(string ptx)
    {
        Dictionary<string, int[]> kernels = [];
        foreach (Match entry in Entry().Matches(Comment().Replace(ptx, " ")))
        {
            kernels.Add(entry.Groups["name"].Value, [.. Parameter().Matches(entry.Groups["list"].Value).Select(Size)]);
        }

        return kernels;
    }

    private static int Size(Match parameter)
    {
        int bits = int.Parse(parameter.Groups["bits"].ValueSpan, CultureInfo.InvariantCulture);
        int count = parameter.Groups["count"].Success ? int.Parse(parameter.Groups["count"].ValueSpan, CultureInfo.InvariantCulture) : 1;
        return bits / 8 * count;
    }

    [GeneratedRegex(@"//.*$|/\*.*?\*/", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\.entry\s+(?<name>[\w$%]+)\s*\((?<list>[^)]*)\)")]
    private static partial Regex Entry();

    // Such as ".param .u64 .ptr .align 1 name" or ".param .align 8 .b8 name[24]".
    [GeneratedRegex(@"\.param\b[^,]*?\.[busf](?<bits>8|16|32|64)\b[^,\[]*(\[\s*(?<count>\d+)\s*\])?")]
    private static partial Regex Parameter();
}
