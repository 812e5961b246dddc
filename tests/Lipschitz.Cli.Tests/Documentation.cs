using System.Runtime.CompilerServices;

namespace Lipschitz.Cli.Tests;

/// <summary>The repository's pages, and their C# examples, which are compiled and run in the file of a test.</summary>
internal static class Documentation
{
    /// <summary>Every line of a page's example is a line of the calling file, but for where it writes to.</summary>
    /// <param name="page">The page, from the root of the repository.</param>
    /// <param name="example">Which example of the page, from 0.</param>
    /// <param name="caller">The calling file.</param>
    public static void AssertShown(string page, int example = 0, [CallerFilePath] string caller = "")
    {
        string root = Root(caller);
        string source = File.ReadAllText(Path.Combine(root, "tests", "Lipschitz.Cli.Tests", Path.GetFileName(caller)));
        string text = File.ReadAllText(Path.Combine(root, page)).Split("```csharp")[example + 1].Split("```")[0];
        foreach (string line in text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            Assert.Contains(line.Replace("Console.WriteLine", "output.WriteLine", StringComparison.Ordinal), source, StringComparison.Ordinal);
        }
    }

    /// <summary>The repository: from where the test was compiled, if that is still there, or else from where it runs.</summary>
    /// <param name="source">A file in it.</param>
    public static string Root([CallerFilePath] string source = "")
    {
        string root = File.Exists(source) ? Path.GetDirectoryName(source)! : AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Lipschitz.sln")))
        {
            root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("the repository is not above the tests");
        }

        return root;
    }
}
