using System.Text.Json;

namespace Lipschitz.Cli.Tests;

/// <summary>Runs command lines in this process, in a folder of their own.</summary>
public sealed class CommandLine : IDisposable
{
    /// <summary>A flow small enough for tests.</summary>
    public static readonly string[] Tiny =
        ["--set", "model.blocks=2", "--set", "model.depth=2", "--set", "growth=8", "--set", "batch=64", "--set", "evaluation.points=200", "--threads", "1"];

    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("lipschitz-cli").FullName;

    /// <summary>A path in the folder.</summary>
    public string In(string name) => Path.Combine(Folder, name);

    /// <summary>Saves a text.</summary>
    public string Save(string name, string text)
    {
        File.WriteAllText(In(name), text);
        return In(name);
    }

    /// <summary>Runs one command line.</summary>
    public static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = Program.Run(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>Runs one that must succeed; its output.</summary>
    public static string Succeed(params string[] args)
    {
        (int code, string output, string error) = Run(args);
        Assert.True(code == 0, $"exit code {code}: {error}");
        Assert.Empty(error);
        return output;
    }

    /// <summary>Runs one with --json that must succeed; the object.</summary>
    public static JsonElement Json(params string[] args) => JsonDocument.Parse(Succeed([.. args, "--json"])).RootElement;

    /// <summary>Runs one that must fail with one line on standard error and nothing on standard output; the line.</summary>
    public static string Fail(int expected, params string[] args)
    {
        (int code, string output, string error) = Run(args);
        Assert.Equal((expected, ""), (code, output));
        string line = Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        return line;
    }

    /// <summary>Trains a tiny flow on moons.</summary>
    public string TrainTiny(string name = "run", params string[] more)
    {
        Succeed(["train", "moons", "--steps", "20", "--out", In(name), .. Tiny, .. more]);
        return In(name);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
