using System.Text.RegularExpressions;

namespace Lipschitz.Architecture.Tests;

/// <summary>Which folder of the core may use which: only those above its own line.</summary>
public partial class FolderTests
{
    // Tensors, Backends and Randomness know each other: views of memory, kernels on them, and kernels that draw.
    private static readonly string[][] s_order =
    [
        ["Tensors", "Randomness", "Backends", "Names"],
        ["Layers", "Data", "Diagnostics"],
        ["LogDet"],
        ["Flows"],
        ["Models"],
        ["Training"],
        ["Checkpoints"],
    ];

    [Fact]
    public void Every_folder_of_the_core_has_its_place()
    {
        string[] folders = [.. Sources().Select(Folder).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(s_order.SelectMany(level => level).Order(StringComparer.Ordinal), folders);
    }

    [Fact]
    public void Folders_of_the_core_use_only_those_above_them()
    {
        List<string> wrong = [];
        foreach (string path in Sources())
        {
            int level = Level(Folder(path));
            foreach (string used in Uses(File.ReadAllText(path)).Where(name => name != Folder(path)))
            {
                if (Level(used) > level || (Level(used) == level && level > 0))
                {
                    wrong.Add($"{Repository.Relative(path)} uses {used}");
                }
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Namespaces_follow_folders() => Assert.All(
        Sources(), path => Assert.Contains($"namespace Lipschitz.{Folder(path)};", File.ReadAllText(path), StringComparison.Ordinal));

    [Fact]
    public void The_rule_sees_a_use_by_name_as_well_as_by_using_but_no_members()
    {
        Assert.Equal(["Flows", "Models"], Uses("using Lipschitz.Flows;\n// Lipschitz.Training\nModels.Presets.Load(x);").Order());
        Assert.Equal(["Backends"], Uses("(Backends.Activation f) byte[] Data { get; } flow.Layers.Count; Data.Length; Names = 3;"));
    }

    // Folders named after "Lipschitz.", or alone before a dot and a capital where the file declares no member of that name.
    private static IEnumerable<string> Uses(string source)
    {
        string code = Comment().Replace(source, "");
        return s_order.SelectMany(level => level).Where(name =>
            Regex.IsMatch(code, $@"\bLipschitz\.{name}\b")
            || (Regex.IsMatch(code, $@"(?<![\w.]){name}\.[A-Z]") && !Regex.IsMatch(code, $@"[\w>\]?]\s{name}\s*(?:\{{|=|;)")));
    }

    private static string[] Sources() =>
        [.. Repository.Sources.Where(path => Repository.Relative(path).StartsWith("Lipschitz.Core/", StringComparison.Ordinal))];

    private static string Folder(string path) => Repository.Relative(path).Split('/')[1];

    private static int Level(string folder) => Array.FindIndex(s_order, level => level.Contains(folder));

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
