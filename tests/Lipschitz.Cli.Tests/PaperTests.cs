using System.Reflection;
using System.Text.RegularExpressions;
using Lipschitz.Backends;
using Lipschitz.Cli.Reproduction;
using Lipschitz.Cpu;
using Lipschitz.Models;
using Lipschitz.Verification.Certificates;

namespace Lipschitz.Cli.Tests;

/// <summary>The folders below papers/: what their texts name exists, and what their experiments claim is so.</summary>
public partial class PaperTests
{
    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;
    private const long MostParameters = 504_200; // the paper's largest model of points, as it counts
    private const int RouletteScalarsPerBlock = 2;
    private const string Start = "-start"; // ends the name of a group of a few first steps, of which nothing is published

    private static readonly string s_root = Documentation.Root();

    private static readonly Type[] s_types =
        [.. new[] { typeof(IBackend), typeof(CpuBackend), typeof(CertificateBuilder), typeof(Program) }.SelectMany(type => type.Assembly.GetTypes())];

    public static TheoryData<string> Readmes =>
        [.. Directory.GetFiles(Path.Combine(s_root, "papers"), "README.md", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(s_root, path)).Where(path => !path.Contains("results", StringComparison.Ordinal)).Order()];

    [Theory, MemberData(nameof(Readmes))]
    public void Every_file_and_member_that_a_readme_names_exists(string readme)
    {
        string text = File.ReadAllText(Path.Combine(s_root, readme));
        string[] spans = [.. Span().Matches(Block().Replace(text, "")).Select(match => match.Groups[1].Value)];
        string folder = Path.Combine(s_root, Path.GetDirectoryName(readme)!);
        string[] files = [.. spans.Where(span => FileName().IsMatch(span) && !span.StartsWith("results/", StringComparison.Ordinal))];
        string[] members = [.. spans.Where(span => Member().IsMatch(span))];
        Assert.True(files.Length > 10 && members.Length > 10, $"{files.Length} files and {members.Length} members: the rule no longer sees them");
        string[] links = [.. Link().Matches(text).Select(match => match.Groups[1].Value)];
        string[] missing =
        [
            .. files.Where(file => !File.Exists(Path.Combine(s_root, file)) && !File.Exists(Path.Combine(folder, file))),
            .. members.Where(member => !Exists(member)),
            .. links.Where(link => !File.Exists(Path.Combine(folder, link))),
        ];
        Assert.Empty(missing);
    }

    [Fact]
    public void The_rule_sees_what_is_missing()
    {
        Assert.True(Exists("Concatenation.Bound") && Exists("DenseNet") && Exists("IBackend.PowerIterate") && Exists("Activation.CLipSwish"));
        Assert.False(Exists("Concatenation.Bund") || Exists("DensNet") || Exists("Bound"));
    }

    [Fact]
    public void The_papers_cells_are_what_train_makes_of_its_presets()
    {
        Experiments experiments = Read();
        foreach (ExperimentGroup group in experiments.Groups.Where(group => group.Table == ResultTable.Table1))
        {
            foreach (ExperimentModel model in group.Models)
            {
                foreach (ExperimentData data in group.Data)
                {
                    Configuration cell = experiments.Cell(group, model, data, 0, null).Configuration(null);
                    PresetFamily family = data.Name switch { "mnist" => PresetFamily.Mnist, "cifar10" => PresetFamily.Cifar10, _ => default };
                    Configuration preset = Presets.Load(model.Name, family) with { Data = data.Name };
                    if (group.Name == "toy-exact")
                    {
                        preset = preset with
                        {
                            LogDet = preset.LogDet with { Method = LogDetMethod.Exact },
                            Training = preset.Training with { PowerIterations = 40 },
                        };
                    }
                    else if (group.Name == "toy-muon")
                    {
                        preset = preset with
                        {
                            LogDet = preset.LogDet with { Method = LogDetMethod.Exact },
                            Training = preset.Training with
                            {
                                Steps = 8000,
                                PowerIterations = 20,
                                MuonRate = 0.06,
                                LearningRate = 0.005,
                                Schedule = ScheduleKind.Cosine,
                                WarmupSteps = 200,
                                AverageDecay = 0.998,
                                HoldConcatenation = 0,
                            },
                        };
                    }

                    else if (group.Name.EndsWith(Start, StringComparison.Ordinal))
                    {
                        bool digits = data.Name == "mnist";
                        preset = preset with
                        {
                            Training = preset.Training with
                            {
                                Steps = digits ? 100 : 60,
                                Batch = 16,
                                WarmupSteps = digits ? 10 : 6,
                                AverageDecay = 0.95,
                                HoldConcatenation = digits ? 12 : 8,
                                TestInterval = 20,
                            },
                            Evaluation = preset.Evaluation with { Points = 32 },
                        };
                    }

                    Assert.Equal(ConfigurationJson.Write(preset), ConfigurationJson.Write(cell));
                    Assert.NotEqual(group.Name.EndsWith(Start, StringComparison.Ordinal), data.Published.ContainsKey(model.Name));
                }
            }
        }

        Assert.Equal(
            ["toy", "toy-exact", "toy-muon", "mnist", "cifar10", "mnist" + Start, "cifar10" + Start, "budget", "beyond"],
            experiments.Groups.Select(group => group.Name));
        Assert.All(["toy", "toy-muon"], name => Assert.Equal(9, experiments.Group(name).Models.Count * experiments.Group(name).Data.Count));
    }

    [Fact]
    public void Groups_that_are_said_to_be_trained_as_toy_muon_are_and_idensenet_best_is_its_preset()
    {
        Experiments experiments = Read();
        ExperimentGroup muon = experiments.Group("toy-muon"), budget = experiments.Group("budget"), beyond = experiments.Group("beyond");
        Assert.Equal(muon.Set, budget.Set);
        Assert.Equal(muon.Set.Except(["training.steps=8000"]), beyond.Set.Except(["training.steps=3000"]));
        ExperimentModel best = beyond.Models.Single(model => model.Name == "idensenet-best");
        foreach (ExperimentData data in beyond.Data)
        {
            Configuration preset = Presets.Load("idensenet-best", default) with { Data = data.Name };
            Assert.Equal(ConfigurationJson.Write(preset), ConfigurationJson.Write(experiments.Cell(beyond, best, data, 0, null).Configuration(null)));
        }
    }

    [Fact]
    public void Budgets_that_are_called_equal_are()
    {
        Experiments experiments = Read();
        ExperimentGroup group = experiments.Group("budget");
        foreach (ExperimentData data in group.Data)
        {
            double Budget(string name) => LipschitzBudget.Of(
                experiments.Cell(group, group.Models.Single(model => model.Name == name), data, 0, null).Configuration(null).Model)!.Value;
            Assert.Equal(0.83013, Budget("idensenet-lc"), 1e-5); // 0.98^4 0.9
            Assert.Equal(Budget("idensenet-lc"), Budget("resflow-0.83"), 1e-5);
            Assert.Equal(Budget("idensenet-lc"), Budget("idensenet-0.83"), 1e-5);
            Assert.Equal(0.59006, Budget("resflow"), 1e-5); // (0.99985 0.9)^5
            Assert.Equal(Budget("resflow"), Budget("idensenet-lc-0.59"), 1e-5);
            Assert.Equal(0.67972, Budget("idensenet"), 1e-5);
        }
    }

    [Fact]
    public void No_model_beyond_the_paper_has_more_parameters_than_the_papers_and_none_trains_longer()
    {
        Experiments experiments = Read();
        ExperimentGroup group = experiments.Group("beyond");
        using IBackend backend = CpuBackend.Create(threads: 1);
        foreach (ExperimentModel model in group.Models)
        {
            Configuration configuration = experiments.Cell(group, model, group.Data[0], 0, null).Configuration(null);
            long count = FlowFactory.Create(configuration, 2, backend).TrainedCount + (RouletteScalarsPerBlock * configuration.Model.Blocks);
            Assert.True(count <= MostParameters, $"{model.Name}: {count}");
            Assert.True(count > 0.97 * MostParameters, $"{model.Name}: {count}");
            Assert.InRange(configuration.Training.Steps, 1, 50_000);
        }
    }

    [Fact]
    public void Long_logs_become_short_without_losing_a_test_or_the_mean()
    {
        Checkpoints.MetricsLine[] lines =
        [
            .. Enumerable.Range(1, 1000).Select(i => new Checkpoints.MetricsLine { Step = i, Loss = i, GradientNorm = i, Seconds = i }),
            new Checkpoints.MetricsLine { Step = 500, TestNll = 2 },
            new Checkpoints.MetricsLine { Step = 1000, TestNll = 1 },
        ];
        IReadOnlyList<Checkpoints.MetricsLine> compact = CompactMetrics.Of([.. lines.OrderBy(line => line.Step)]);
        Assert.InRange(compact.Count, 300, CompactMetrics.MostLines);
        Assert.Equal([2.0, 1.0], compact.Select(line => line.TestNll).OfType<double>());
        Assert.Equal((1000, 1.0), (compact[^1].Step, compact[^1].TestNll));
        Assert.Equal(2, compact[0].Loss!.Value, 1e-12); // of 1, 2, 3
        Assert.Equal((3, 3.0, 3.0), (compact[0].Step, compact[0].GradientNorm, compact[0].Seconds));
        Assert.Same(compact, CompactMetrics.Of(compact));
    }

    private static Experiments Read() => ExperimentsFile.Read(Path.Combine(s_root, "papers", "invertible-densenets"));

    private static bool Exists(string name)
    {
        string[] parts = name.Split('.');
        return s_types.Any(type => type.Name.Split('`')[0] == parts[0]
            && (parts.Length == 1 || (parts.Length == 2 && type.GetMember(parts[1], Any).Length > 0)));
    }

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Span();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^[\w./-]+\.(cs|json|md|csproj|sh|py)$")]
    private static partial Regex FileName();

    [GeneratedRegex(@"^[A-Z]\w*[a-z]\w*(\.[A-Z]\w*)?$")]
    private static partial Regex Member();

    [GeneratedRegex(@"\]\(([^)#:]+)\)")]
    private static partial Regex Link();
}
