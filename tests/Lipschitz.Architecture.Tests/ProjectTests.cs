namespace Lipschitz.Architecture.Tests;

/// <summary>Which project may refer to which.</summary>
public class ProjectTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Lipschitz.Core"] = [],
        ["Lipschitz.Cpu"] = ["Lipschitz.Core"],
        ["Lipschitz.Cuda"] = ["Lipschitz.Core"],
        ["Lipschitz.Verification"] = ["Lipschitz.Core"],
        ["Lipschitz.Checker"] = [],
        ["Lipschitz.Cli"] = ["Lipschitz.Core", "Lipschitz.Cpu", "Lipschitz.Verification", "Lipschitz.Checker"],
    };

    [Fact]
    public void Projects_refer_only_to_those_below_them()
    {
        foreach (string project in Repository.Projects.Keys.Where(name => IsProduct(name)))
        {
            Assert.True(s_allowed.ContainsKey(project), $"{project} is new: say here what it may refer to");
            Assert.Empty(Repository.References(project).Except(s_allowed[project]).Select(other => $"{project} -> {other}"));
        }
    }

    [Fact]
    public void Nothing_but_tests_and_benchmarks_refers_to_tests_or_benchmarks()
    {
        string[] inner = [.. Repository.Projects.Keys.Where(name => !IsProduct(name))];
        Assert.All(
            Repository.Projects.Keys.Where(IsProduct), project => Assert.Empty(Repository.References(project).Intersect(inner)));
    }

    [Fact]
    public void Core_has_no_packages_but_the_frameworks_own() =>
        Assert.All(Repository.Packages("Lipschitz.Core"), package => Assert.StartsWith("System.", package, StringComparison.Ordinal));

    [Fact]
    public void The_checker_is_short_and_depends_on_nothing()
    {
        string[] sources = [.. Repository.Sources.Where(path => Repository.Relative(path).StartsWith("Lipschitz.Checker/", StringComparison.Ordinal))];
        Assert.NotEmpty(sources);
        Assert.InRange(sources.Sum(path => File.ReadLines(path).Count()), 1, 1299);
        Assert.Empty(Repository.References("Lipschitz.Checker"));
        Assert.Empty(Repository.Packages("Lipschitz.Checker"));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "Lipschitz.sln")).Replace('\\', '/');
        Assert.NotEmpty(Repository.Projects);
        Assert.All(Repository.Projects.Values, path => Assert.Contains($"\"{Repository.Relative(path)}\"", solution, StringComparison.Ordinal));
    }

    [Fact]
    public void Versions_of_packages_are_given_in_one_place() => Assert.All(
        Repository.Projects.Values, path => Assert.DoesNotContain("Version=\"", File.ReadAllText(path), StringComparison.Ordinal));

    private static bool IsProduct(string project) =>
        Repository.Relative(Repository.Projects[project]).StartsWith("Lipschitz.", StringComparison.Ordinal);
}
