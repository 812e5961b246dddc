using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;
using Lipschitz.Names;
using Lipschitz.Tensors;
using Spectre.Console;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz inspect RUN|PRESET</c>.</summary>
internal static class InspectCommand
{
    // Residual Flows' code keeps two scalars a block for its roulette that are never trained, and counts them.
    private const int RouletteScalarsPerBlock = 2;
    private static readonly Dictionary<string, string> s_elsewhere = new() { ["data"] = "--data", ["name"] = "PRESET" };

    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        var what = new Argument<string>("RUN|PRESET")
        {
            Description = $"A run's directory, or a preset: {Arguments.PresetNames}",
        };
        var data = new Option<string?>("--data")
        {
            Description = "The data set, file or folder whose dimension a preset's flow gets (default: moons)",
            HelpName = "DATA",
        };
        var set = new Option<string[]>("--set") { Description = "Change a setting of a preset; may be repeated", HelpName = "key=value" };
        var command = new DocumentedCommand(
            "inspect",
            "List the layers of a flow with their shapes, and count its parameters.",
            "lipschitz inspect idensenet-lc --data moons",
            "lipschitz inspect runs/moons-quick",
            "lipschitz inspect resflow --set model.hidden=64,64 --json") { what, data, set };
        command.SetAction(parse =>
        {
            string name = parse.GetRequiredValue(what);
            using IBackend backend = ComputeOptions.OpenCpu(threads: 1);
            Flow flow;
            Configuration configuration;
            if (Directory.Exists(name))
            {
                if (parse.GetValue(set) is { Length: > 0 } || parse.GetValue(data) is not null)
                {
                    throw new UsageException("--data and --set do not go with a run: it keeps its configuration");
                }

                RunDirectory run = Runs.Open(name);
                (configuration, flow) = (run.Configuration, run.LoadFlow(backend));
            }
            else
            {
                string source = parse.GetValue(data) ?? "moons";
                ImageShape? shape = DataSources.Shape(source);
                Configuration preset = Preset(name, shape is { } pictures ? Presets.FamilyOf(pictures) : PresetFamily.Points);
                configuration = DataSet.Fit(SettingChanges.Apply(preset, parse.GetValue(set), s_elsewhere), shape);
                int width = configuration.Model.Image?.Shape.Count ?? DataSources.Load(source).Source(configuration).Width;
                flow = UsageException.Guard(() => FlowFactory.Create(configuration, width, backend));
            }

            Report(shell, parse, configuration, flow);
            return ExitCode.Success;
        });
        return command;
    }

    private static Configuration Preset(string name, PresetFamily family) => Presets.NamesOf(family).Contains(name)
        ? Presets.Load(name, family)
        : name.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? throw new InputException($"there is no run {name}")
            : throw new UnknownNameException("preset (and there is no run of that name)", name, Presets.NamesOf(family));

    private static void Report(Shell shell, ParseResult parse, Configuration configuration, Flow flow)
    {
        long trained = flow.TrainedCount;
        long paper = trained + (RouletteScalarsPerBlock * flow.Blocks.Count());
        var result = new
        {
            model = configuration.Name,
            width = flow.Width,
            blocks = flow.Blocks.Count(),
            trainedParameters = trained,
            paperParameters = paper,
            blockLipschitzEstimates = flow.BlockLipschitzEstimates(),
            parameters = flow.Parameters.Where(p => p.IsTrained)
                .Select(p => new { name = p.Name, shape = Shape(p), count = p.Value.Count }),
        };
        shell.Report(parse, result, console =>
        {
            Table table = new Table().Border(TableBorder.Simple)
                .AddColumn("layer").AddColumn("parameter").AddColumn("shape").AddColumn(new TableColumn("count").RightAligned());
            foreach (IGrouping<string, IBijection> alike in flow.Bijections.GroupBy(Structure))
            {
                AddRows(table, [.. alike]);
            }

            console.Write(table);
            TextWriter text = console.Profile.Out.Writer;
            string estimates = string.Join(" ", flow.BlockLipschitzEstimates().Select(l => $"{l:0.000}"));
            text.WriteLine($"trained parameters          {trained,10:N0}");
            text.WriteLine($"as the paper's code counts  {paper,10:N0}  (two untrained roulette scalars a block more)");
            text.WriteLine($"block Lipschitz estimates   {estimates}  (of the parameters, before lipschitz certify scales weights)");
        });
    }

    // Bijections with the same layers share the rows of the table.
    private static void AddRows(Table table, IReadOnlyList<IBijection> alike)
    {
        IBijection first = alike[0];
        string title = alike.Count == 1 ? first.Name : $"{first.Name} to {alike[^1].Name}: {alike.Count} times";
        long each = first.Parameters.Where(p => p.IsTrained).Sum(p => (long)p.Value.Count);
        string kind = first is ResidualBlock block ? $"x + g(x), g a {block.Branch.GetType().Name}" : first.GetType().Name;
        table.AddRow(title, kind, "", each.ToString("N0"));
        foreach (Parameter parameter in first.Parameters.Where(p => p.IsTrained))
        {
            string prefix = first.Name + ".";
            string path = parameter.Name.StartsWith(prefix, StringComparison.Ordinal) ? parameter.Name[prefix.Length..] : parameter.Name;
            int dot = path.LastIndexOf('.');
            string layer = dot < 0 ? "" : path[..dot];
            table.AddRow("  " + layer, path[(dot + 1)..], string.Join(" x ", Shape(parameter)), $"{parameter.Value.Count:N0}");
        }
    }

    private static string Structure(IBijection bijection) => bijection.GetType().Name + string.Join(
        ";", bijection.Parameters.Select(p => p.Name.Replace(bijection.Name, "", StringComparison.Ordinal) + string.Join("x", Shape(p))));

    private static int[] Shape(Parameter parameter) => [parameter.Value.Rows, parameter.Value.Columns];
}
