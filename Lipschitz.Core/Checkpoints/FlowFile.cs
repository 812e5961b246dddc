using System.Globalization;
using Lipschitz.Backends;
using Lipschitz.Flows;
using Lipschitz.Layers;
using Lipschitz.Models;

namespace Lipschitz.Checkpoints;

/// <summary>A flow in one safetensors file: parameters and singular vectors by name, and the effective weights that inference uses.</summary>
/// <remarks>
/// Effective weights could be made from the parameters, but their last bits would depend on the processor's vector width. Kept, they make
/// the file one function everywhere, which its certificate can be about.
/// </remarks>
public static class FlowFile
{
    /// <summary>Columns of a saved flow at most, so that products of sizes fit an int.</summary>
    public const int LargestWidth = 1 << 20;

    /// <summary>Writes the flow; the same flow gives the same bytes.</summary>
    public static void Write(string path, Flow flow, long step) => SafeTensors.Write(
        path,
        [
            .. ParameterTensors.ToSafeTensors(flow.Backend, flow.Parameters),
            .. flow.EffectiveWeights.Select(weight => ParameterTensors.ToSafeTensor(flow.Backend, weight.Name, weight.Value)),
        ],
        new Dictionary<string, string>
        {
            ["format"] = "lipschitz-flow-1",
            ["step"] = step.ToString(CultureInfo.InvariantCulture),
            ["width"] = flow.Width.ToString(CultureInfo.InvariantCulture),
        });

    /// <summary>Reads a flow of the given configuration, ready for use.</summary>
    /// <exception cref="CheckpointFormatException">The file is missing, damaged, or belongs to another configuration.</exception>
    public static Flow Read(string path, Configuration configuration, IBackend backend)
    {
        if (!File.Exists(path))
        {
            throw new CheckpointFormatException(path, "there is no model yet; training writes it at its first checkpoint.");
        }

        SafeTensorFile file = SafeTensors.Read(path);
        long width = ParameterTensors.Number(file.Metadata, path, "width");
        if (width is 0 or > LargestWidth)
        {
            throw new CheckpointFormatException(path, $"its metadata gives points of {width} columns.");
        }

        Flow flow = FlowFactory.Create(configuration, (int)width, backend);
        string[] known = [.. flow.Parameters.Select(parameter => parameter.Name), .. flow.EffectiveWeights.Select(weight => weight.Name)];
        if (file.Tensors.Select(tensor => tensor.Name).Except(known).FirstOrDefault() is { } stranger)
        {
            throw new CheckpointFormatException(path, $"entry '{stranger}' belongs to no layer of config.json; the file is of another model.");
        }

        foreach (Parameter parameter in flow.Parameters)
        {
            backend.Upload(ParameterTensors.Find(file, path, parameter.Name, parameter.Value), parameter.Value);
        }

        flow.Prepare();
        foreach (EffectiveWeight weight in flow.EffectiveWeights)
        {
            backend.Upload(ParameterTensors.Find(file, path, weight.Name, weight.Value), weight.Value);
        }

        foreach (ILayer layer in flow.Layers)
        {
            layer.Pack();
        }

        return flow;
    }
}
