using System.Text.Json.Nodes;
using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;

namespace Lipschitz.Core.Tests.Golden;

/// <summary>The small flows of the golden files, built from the project's own parts.</summary>
internal static class GoldenModel
{
    public const int Batch = 5;

    public static Configuration Configuration(string name) => Presets.Load("idensenet") with
    {
        Model = name.StartsWith("idensenet", StringComparison.Ordinal)
            ? new ModelSettings
            {
                Branch = BranchKind.DenseNet,
                Blocks = 2,
                Depth = 3,
                Growth = 7,
                Activation = Activation.LipSwish,
                Concatenation = ConcatenationKind.Learnable,
                ConcatenationBound = 0.98,
                Coefficient = 0.9,
            }
            : new ModelSettings { Branch = BranchKind.Residual, Blocks = 2, Hidden = [9, 9], Activation = Activation.LipSwish, Coefficient = 0.9 },
    };

    public static Flow Create(string name, JsonNode parameters, JsonNode vectors, IBackend backend)
    {
        Flow flow = FlowFactory.Create(Configuration(name), 2, backend);
        foreach (Parameter parameter in flow.Parameters)
        {
            backend.Upload(Expected(parameter, parameters, vectors), parameter.Value);
        }

        flow.Prepare();
        return flow;
    }

    /// <summary>The file's numbers for one of our parameters: K of all dense layers of a block is one matrix here, scalars there.</summary>
    public static double[] Expected(Parameter parameter, JsonNode parameters, JsonNode? vectors)
    {
        if (parameter.Role == ParameterRole.Concatenation)
        {
            string block = parameter.Name[..parameter.Name.LastIndexOf('.')];
            return [.. Enumerable.Range(0, parameter.Value.Rows).SelectMany(i => new[]
            {
                parameters[$"{block}.layers.{i}.k1"].Number(), parameters[$"{block}.layers.{i}.k2"].Number(),
            })];
        }

        return (parameter.Role == ParameterRole.SingularVector ? vectors! : parameters)[parameter.Name].Numbers();
    }
}
