using System.Xml.Linq;

namespace Lipschitz.Architecture.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every project file, by project name.</summary>
    public static IReadOnlyDictionary<string, string> Projects { get; } = Files("*.csproj")
        .ToDictionary(path => Path.GetFileNameWithoutExtension(path)!, StringComparer.Ordinal);

    public static IEnumerable<string> Sources => Files("*.cs");

    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    /// <summary>The projects that a project refers to.</summary>
    public static string[] References(string project) =>
    [
        .. XDocument.Load(Projects[project]).Descendants("ProjectReference")
            .Where(reference => reference.Attribute("ReferenceOutputAssembly")?.Value != "false") // plug-ins, which are loaded at run time
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))!),
    ];

    public static string[] Packages(string project) =>
        [.. XDocument.Load(Projects[project]).Descendants("PackageReference").Select(reference => reference.Attribute("Include")!.Value)];

    // What a build writes, and what is not part of the checkout, is no source.
    private static string[] Files(string pattern) =>
    [
        .. Directory.EnumerateDirectories(Root)
            .Where(folder => Path.GetFileName(folder) is var name && !name.StartsWith('.') && name is not ("artifacts" or "bin" or "obj" or "runs" or "shared" or "papers"))
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
            .Where(path => !Relative(path).Split('/').Any(part => part is "bin" or "obj" or "artifacts"))
            .Order(StringComparer.Ordinal),
    ];

    private static string FindRoot([System.Runtime.CompilerServices.CallerFilePath] string here = "")
    {
        foreach (string start in new[] { Path.GetDirectoryName(here) ?? "", AppContext.BaseDirectory, Environment.CurrentDirectory })
        {
            for (string? folder = start; !string.IsNullOrEmpty(folder); folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Lipschitz.sln")))
                {
                    return folder;
                }
            }
        }

        throw new DirectoryNotFoundException("no folder with Lipschitz.sln above the test project or the current folder");
    }
}
