using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Lipschitz.Backends;
using Lipschitz.Cli.Commands;
using Lipschitz.Names;

namespace Lipschitz.Cli;

/// <summary>The <c>lipschitz</c> command.</summary>
public static class Program
{
    /// <summary>Runs the command line of the process; the first Ctrl+C asks a training to save and stop, anything else it ends at once.</summary>
    public static int Main(string[] args)
    {
        using var stop = new StopRequest();
        void Stop(PosixSignalContext context) => context.Cancel = stop.Take();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return Run(args, new Shell(Console.Out, Console.Error, !Console.IsOutputRedirected, stop));
    }

    /// <summary>Runs one command line; touches no global state.</summary>
    /// <param name="args">The words of the command line after <c>lipschitz</c>.</param>
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error: one line for a failure.</param>
    /// <param name="isTerminal">Whether to draw progress bars.</param>
    /// <param name="cancellation">What Ctrl+C is to the process: asks a command that listens to stop.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static int Run(
        IReadOnlyList<string> args,
        TextWriter output,
        TextWriter error,
        bool isTerminal = false,
        CancellationToken cancellation = default)
    {
        using var stop = new StopRequest(cancellation);
        return Run(args, new Shell(output, error, isTerminal, stop));
    }

    private static int Run(IReadOnlyList<string> args, Shell shell)
    {
        RootCommand root = CreateRoot(shell);
        ParseResult parse = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        try
        {
            ThrowIfMistyped(parse);
            return parse.Invoke(new InvocationConfiguration
            {
                Output = shell.Output,
                Error = shell.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (Exception failure)
        {
            Exception cause = Cause(failure);
            shell.Error.WriteLine(OneLine(cause));
            if (parse.GetValue(shell.Verbose))
            {
                shell.Error.WriteLine(failure);
            }

            return ExitCode.Of(cause);
        }
    }

    private static RootCommand CreateRoot(Shell shell)
    {
        var root = new RootCommand("Density estimation with Lipschitz-constrained networks: invertible DenseNets and residual flows.")
        {
            shell.Json,
            shell.Verbose,
            TrainCommand.Create(shell),
            EvalCommand.Create(shell),
            SampleCommand.Create(shell),
            LogProbCommand.Create(shell),
            InvertCommand.Create(shell),
            VerifyCommand.Create(shell),
            CertifyCommand.Create(shell),
            PlotCommand.Create(shell),
            InspectCommand.Create(shell),
            ReproduceCommand.Create(shell),
            BenchCommand.Create(shell),
            DoctorCommand.Create(shell),
        };
        DocumentedCommand.ExtendHelp(root);
        return root;
    }

    private static void ThrowIfMistyped(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        string hint = $" (see {string.Join(' ', CommandNames(parse.CommandResult))} --help)";
        if (Empty(parse.CommandResult) is { } empty)
        {
            throw new UsageException($"{empty} is given an empty text{hint}");
        }

        string? unknown = MistakenForArgument(parse.CommandResult) ?? parse.UnmatchedTokens.FirstOrDefault();
        if (parse.Action is { ClearsParseErrors: true } || (unknown is null && parse.Action is not ParseErrorAction))
        {
            return;
        }

        if (unknown is null)
        {
            throw new UsageException(parse.Errors[0].Message.TrimEnd('.') + hint);
        }

        bool isOption = unknown.StartsWith('-');
        IEnumerable<Symbol> known = isOption ? [.. command.Options, .. parse.RootCommandResult.Command.Options] : command.Subcommands;
        string? nearest = Suggest.Nearest(unknown, known.Select(symbol => symbol.Name));
        string question = nearest is null ? "" : $"; did you mean '{nearest}'?";
        string kind = isOption ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
        throw new UsageException($"unknown {kind} '{unknown}'{question}{hint}");
    }

    private static IEnumerable<string> CommandNames(CommandResult result) =>
        result.Parent is CommandResult parent ? CommandNames(parent).Append(result.Command.Name) : ["lipschitz"];

    // What an unset variable of the shell leaves.
    private static string? Empty(CommandResult command) => command.Children.Where(child => child.Tokens.Any(token => token.Value.Length == 0))
        .Select(child => child is OptionResult option ? option.Option.Name : ((ArgumentResult)child).Argument.Name).FirstOrDefault();

    // The parser takes a misspelt option for an argument where one may stand.
    private static string? MistakenForArgument(CommandResult command) => command.Children
        .OfType<ArgumentResult>()
        .SelectMany(argument => argument.Tokens)
        .Select(token => token.Value)
        .FirstOrDefault(text => text.StartsWith('-'));

    private static Exception Cause(Exception failure) => failure switch
    {
        AggregateException { InnerExceptions: [Exception first, ..] } => Cause(first),
        _ => failure,
    };

    private static string OneLine(Exception failure)
    {
        string start = failure is InterruptedException ? "" : "error: ";
        string kind = ExitCode.Of(failure) == ExitCode.Unexpected && failure is not BackendException ? $"unexpected {failure.GetType().Name}: " : "";
        string[] lines = failure.Message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return start + kind + string.Join(' ', lines);
    }
}
