using System.Text.Json.Serialization;
using Lipschitz.Names;

namespace Lipschitz.Cli.Reproduction;

/// <summary>Which text a group of experiments is shown in.</summary>
internal enum ResultTable
{
    /// <summary>results/table1.md: beside the paper's numbers.</summary>
    [JsonStringEnumMemberName("table1")]
    Table1,

    /// <summary>results/budget.md: models that may stretch equally.</summary>
    [JsonStringEnumMemberName("budget")]
    Budget,

    /// <summary>results/beyond.md: changes of the first model of the group, one a row.</summary>
    [JsonStringEnumMemberName("beyond")]
    Beyond,
}

/// <summary>The experiments of a paper, as experiments.json lists them.</summary>
internal sealed record Experiments
{
    /// <summary>The paper, for titles.</summary>
    public required string Paper { get; init; }

    /// <summary>The groups, in the order in which they are run.</summary>
    public required IReadOnlyList<ExperimentGroup> Groups { get; init; }

    /// <summary>The group called <paramref name="name"/>.</summary>
    /// <exception cref="UnknownNameException">There is none.</exception>
    public ExperimentGroup Group(string name) => Groups.FirstOrDefault(group => group.Name == name)
        ?? throw new UnknownNameException("group of experiments", name, [.. Groups.Select(group => group.Name)]);

    /// <summary>One training of a group; a model that a group takes from another one is trained there.</summary>
    /// <param name="group">The group.</param>
    /// <param name="model">One of its models.</param>
    /// <param name="data">One of its data sets.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="steps">Other steps than the experiment's; null for its own.</param>
    public Cell Cell(ExperimentGroup group, ExperimentModel model, ExperimentData data, ulong seed, long? steps)
    {
        if (model.From is not { } name)
        {
            return new Cell(group, model, data, seed, steps);
        }

        ExperimentGroup other = Group(name);
        return new Cell(other, other.Models.First(m => m.Name == model.Name), other.Data.First(d => d.Name == data.Name), seed, steps);
    }
}

/// <summary>Every model of a list on every data set of a list.</summary>
internal sealed record ExperimentGroup
{
    /// <summary>What --only takes, and the folder of its runs.</summary>
    public required string Name { get; init; }

    /// <summary>Where its results are shown.</summary>
    public required ResultTable Table { get; init; }

    /// <summary>A heading.</summary>
    public required string Title { get; init; }

    /// <summary>Points of the test of a finished run; null for as many as its configuration says.</summary>
    public int? TestPoints { get; init; }

    /// <summary>Changes <c>key=value</c> of all its models, before their own.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>The models; where the paper has an order, the worst first.</summary>
    public required IReadOnlyList<ExperimentModel> Models { get; init; }

    /// <summary>The data sets.</summary>
    public required IReadOnlyList<ExperimentData> Data { get; init; }
}

/// <summary>A preset with changes.</summary>
internal sealed record ExperimentModel
{
    /// <summary>A part of the names of run folders.</summary>
    public required string Name { get; init; }

    /// <summary>What tables call it.</summary>
    public required string Title { get; init; }

    /// <summary>The group that trains it, where it is not this one; then there is neither preset nor change here.</summary>
    public string? From { get; init; }

    /// <summary>The preset.</summary>
    public string? Preset { get; init; }

    /// <summary>Changes <c>key=value</c>, as of <c>train --set</c>.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];
}

/// <summary>A data set, and what the paper found on it.</summary>
internal sealed record ExperimentData
{
    /// <summary>Its name on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>Published test results by the names of models: nats for points, bits per dimension for pictures.</summary>
    public IReadOnlyDictionary<string, double> Published { get; init; } = new Dictionary<string, double>();
}
