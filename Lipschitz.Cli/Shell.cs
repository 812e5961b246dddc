using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Lipschitz.Cli;

/// <summary>What a command may use of the world outside: its output, Ctrl+C and the options that all commands share.</summary>
internal sealed class Shell
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
        WriteIndented = true,
    };

    public Shell(TextWriter output, TextWriter error, bool isTerminal, StopRequest stop)
    {
        Output = output;
        Error = error;
        IsTerminal = isTerminal;
        Stop = stop;
    }

    /// <summary>Standard output.</summary>
    public TextWriter Output { get; }

    /// <summary>Standard error.</summary>
    public TextWriter Error { get; }

    /// <summary>Whether somebody watches the output, so that a progress bar makes sense.</summary>
    public bool IsTerminal { get; }

    /// <summary>Ctrl+C.</summary>
    public StopRequest Stop { get; }

    /// <summary>Print one JSON object instead of text.</summary>
    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON object instead of text", Recursive = true };

    /// <summary>Print the stack trace of a failure.</summary>
    public Option<bool> Verbose { get; } = new("--verbose") { Description = "Print the stack trace of a failure", Recursive = true };

    /// <summary>Prints a command's result: the object under --json, otherwise what <paramref name="text"/> writes.</summary>
    public void Report(ParseResult parse, object result, Action<IAnsiConsole> text)
    {
        if (parse.GetValue(Json))
        {
            Output.WriteLine(JsonSerializer.Serialize(result, s_json));
        }
        else
        {
            text(NewConsole());
        }
    }

    /// <summary>Says on standard error what a result does not show and its reader should know.</summary>
    public void Note(string line) => Error.WriteLine($"note: {line}");

    /// <summary>A console for tables and bars on <see cref="Output"/>: with colours on a terminal, plain text otherwise.</summary>
    public IAnsiConsole NewConsole()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Output),
            Ansi = IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = IsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = IsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!IsTerminal)
        {
            console.Profile.Width = 160;
        }

        return console;
    }
}
