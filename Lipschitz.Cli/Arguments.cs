using System.CommandLine;
using System.Globalization;
using System.Numerics;
using Lipschitz.Models;

namespace Lipschitz.Cli;

/// <summary>Options and arguments that several commands have.</summary>
internal static class Arguments
{
    /// <summary>RUN: the directory that <c>train</c> wrote.</summary>
    public static Argument<string> Run() => new("RUN") { Description = "The directory of a run, such as runs/moons-quick" };

    /// <summary>--threads.</summary>
    public static Option<int?> Threads() =>
        Whole<int>("--threads", 1, "Threads of the CPU back end (default: all processors); results do not depend on it");

    /// <summary>--seed.</summary>
    public static Option<ulong?> Seed(string description) => Whole<ulong>("--seed", 0, description);

    /// <summary>--data, where it names a place.</summary>
    public static Option<string?> DataPath(string description) => new("--data") { Description = description, HelpName = "PATH" };

    /// <summary>--data of commands on a run.</summary>
    public static Option<string?> MovedData() => DataPath("Where the run's pictures or points lie now (default: where they were in training)");

    /// <summary>Refuses options that were given.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="reason">What follows their names, such as "needs --falsify".</param>
    /// <param name="options">The options that would do nothing.</param>
    /// <exception cref="UsageException">One of them was given.</exception>
    public static void Refuse(ParseResult parse, string reason, params IEnumerable<Option> options)
    {
        if (options.FirstOrDefault(option => parse.GetResult(option) is { Implicit: false }) is { } given)
        {
            throw new UsageException($"{given.Name} {reason}");
        }
    }

    /// <summary>--best.</summary>
    public static Option<bool> Best() => new("--best") { Description = "The model of the best test of the training, instead of the last" };

    /// <summary>--model.</summary>
    public static Option<string?> Model() => new("--model") { Description = $"A preset (default: quick): {PresetNames}", HelpName = "preset" };

    /// <summary>The presets there are, for help.</summary>
    public static string PresetNames { get; } = string.Join("; ", new[]
    {
        ("points", PresetFamily.Points), ("grey pictures", PresetFamily.Mnist), ("colour pictures", PresetFamily.Cifar10),
    }.Select(family => $"for {family.Item1} {string.Join(", ", Presets.NamesOf(family.Item2))}"));

    /// <summary>-o.</summary>
    public static Option<string> Output(string description) =>
        new("-o", "--output", "--out") { Description = description, HelpName = "file", Required = true };

    /// <summary>--repeats.</summary>
    public static Option<int?> Repeats() =>
        Whole("--repeats", 1, "Draws to average where the log-determinant is random (default: 1)");

    /// <summary>A positive number, with a point: a comma would be dropped as one of thousands.</summary>
    public static Option<double?> Positive(string name, string description) => Number(
        name, description, "a positive number such as 0.5", text =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0 && double.IsFinite(value) ? value : (double?)null);

    /// <summary>A whole number of at least <paramref name="least"/>.</summary>
    public static Option<T?> Whole<T>(string name, T least, string description, params string[] aliases)
        where T : struct, IBinaryInteger<T> => Number(
            name, description, $"a whole number of at least {least}", text =>
                T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T value) && value >= least ? value : (T?)null, aliases);

    private static Option<T?> Number<T>(string name, string description, string expected, Func<string, T?> parse, params string[] aliases)
        where T : struct => new(name, aliases)
        {
            Description = description,
            HelpName = "number",
            CustomParser = result =>
            {
                string text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
                T? value = parse(text);
                if (value is null)
                {
                    result.AddError($"{name} needs {expected}, not '{text}'");
                }

                return value;
            },
        };
}
