using System.Text.Json;

namespace Lipschitz.Cli.Tests;

/// <summary>A folder with the experiments of a paper that takes seconds, for tests of <c>lipschitz reproduce</c>.</summary>
public abstract class SmallPaper : IDisposable
{
    private const string Small =
        "\"model.blocks=2\", \"model.depth=2\", \"model.growth=8\", \"training.batch=64\", \"evaluation.points=100\", \"training.steps=20\"";

    protected static readonly string[] SmallOptions =
    [
        "--set", "model.blocks=2", "--set", "model.depth=2", "--set", "growth=8", "--set", "batch=64", "--set", "evaluation.points=100",
        "--steps", "20", "--threads", "1",
    ];

    protected CommandLine Line { get; } = new();

    protected string Paper => Line.In("paper");

    public void Dispose()
    {
        Line.Dispose();
        GC.SuppressFinalize(this);
    }

    protected void Refuse(int code, string reason, params string[] options) =>
        Assert.Contains(reason, CommandLine.Fail(code, ["reproduce", Paper, .. options]), StringComparison.Ordinal);

    protected string Run(string name) => Path.Combine(Paper, "runs", name);

    protected string Table(string name) => File.ReadAllText(Path.Combine(Paper, "results", name));

    protected JsonElement Result(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Run(name), "result.json"))).RootElement;

    // Two models of points, one of them also in a second group, and one of pictures.
    protected void WriteExperiments(string plain = "")
    {
        Directory.CreateDirectory(Paper);
        string more = plain.Length == 0 ? "" : ", " + plain;
        File.WriteAllText(Path.Combine(Paper, "experiments.json"), $$"""
            {
              "paper": "A paper",
              "groups": [
                {
                  "name": "points", "table": "table1", "title": "Points", "testPoints": 500,
                  "models": [
                    { "name": "plain", "title": "Plain", "preset": "idensenet", "set": [{{Small}}{{more}}] },
                    { "name": "learned", "title": "Learned", "preset": "idensenet-lc", "set": [{{Small}}, "training.holdConcatenation=10"] }
                  ],
                  "data": [{ "name": "moons", "published": { "plain": 2.6, "learned": 2.39 } }]
                },
                {
                  "name": "digits", "table": "table1", "title": "Digits",
                  "models": [
                    {
                      "name": "flow", "title": "Flow", "preset": "quick",
                      "set": ["pictures.size=8", "model.image.blocks=1", "model.image.fullyConnected=1", "model.depth=1", "model.growth=4",
                              "training.steps=2", "training.batch=2", "evaluation.points=2"]
                    }
                  ],
                  "data": [{ "name": "mnist" }]
                },
                {
                  "name": "more", "table": "budget", "title": "More", "set": ["training.warmupSteps=10", "training.averageDecay=0.9", "model.coefficient=0.8"],
                  "models": [
                    { "name": "learned", "title": "Learned", "from": "points" },
                    { "name": "wide", "title": "Wide", "preset": "idensenet", "set": [{{Small}}, "model.coefficient=0.95"] }
                  ],
                  "data": [{ "name": "moons" }]
                }
              ]
            }
            """);
    }
}
