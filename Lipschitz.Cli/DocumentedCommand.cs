using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Lipschitz.Cli;

/// <summary>A command whose help ends in examples.</summary>
internal sealed class DocumentedCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Command lines worth trying.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Adds a group of options.</summary>
    public void Add(ComputeOptions options)
    {
        foreach (Option option in options.All)
        {
            Add(option);
        }
    }

    /// <summary>Adds the examples, and the exit codes for the root, to the help that System.CommandLine writes.</summary>
    public static void ExtendHelp(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExtendedHelp((HelpAction)help.Action!);
    }

    private sealed class ExtendedHelp(HelpAction inner) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parse)
        {
            inner.Invoke(parse);
            TextWriter output = parse.InvocationConfiguration.Output;
            switch (parse.CommandResult.Command)
            {
                case DocumentedCommand { Examples.Count: > 0 } command:
                    Write(output, "Examples:", command.Examples);
                    break;
                case RootCommand root:
                    IEnumerable<DocumentedCommand> commands = root.Subcommands.OfType<DocumentedCommand>();
                    Write(output, "Examples:", commands.Where(c => c.Examples.Count > 0).Select(c => c.Examples[0]));
                    Write(output, "Exit codes:", ExitCode.Explanations);
                    break;
            }

            return ExitCode.Success;
        }

        private static void Write(TextWriter output, string title, IEnumerable<string> lines)
        {
            output.WriteLine(title);
            foreach (string line in lines)
            {
                output.WriteLine("  " + line);
            }

            output.WriteLine();
        }
    }
}
