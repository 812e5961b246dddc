using System.CommandLine;
using Lipschitz.Backends;
using Lipschitz.Checkpoints;
using Lipschitz.Data;

namespace Lipschitz.Cli.Commands;

/// <summary><c>lipschitz plot RUN</c>.</summary>
internal static class PlotCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(Shell shell)
    {
        Argument<string> run = Arguments.Run();
        var output = new Option<string>("--out") { Description = "The folder to draw into (default: RUN)", HelpName = "folder" };
        Option<string?> path = Arguments.MovedData();
        Option<int?> threads = Arguments.Threads();
        var command = new DocumentedCommand(
            "plot",
            "Draw a run: density.png (data, samples and density side by side), loss.png, and concatenation.png (e1 and e2).",
            "lipschitz plot runs/moons-quick",
            "lipschitz plot runs/moons-quick --out figures") { run, output, path, threads };
        command.SetAction(parse =>
        {
            RunDirectory directory = Runs.Open(parse.GetRequiredValue(run));
            string folder = parse.GetValue(output) ?? directory.Path;
            IPointSource data = DataSources.Open(DataSources.At(directory.Configuration, parse.GetValue(path)));
            OutputException.Guard(folder, () => Directory.CreateDirectory(folder));
            using IBackend backend = BackendChoice.Open(parse.GetValue(threads));
            List<string> files = FigureFiles.Draw(folder, directory, directory.LoadFlow(backend), data);
            shell.Report(parse, new { run = directory.Path, files }, console =>
            {
                foreach (string file in files)
                {
                    console.Profile.Out.Writer.WriteLine(file);
                }
            });
            return ExitCode.Success;
        });
        return command;
    }
}
