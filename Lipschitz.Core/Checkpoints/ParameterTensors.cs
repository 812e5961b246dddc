using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Checkpoints;

/// <summary>Moves numbers between a backend and safetensors entries, in the backend's own precision, so that nothing is rounded.</summary>
internal static class ParameterTensors
{
    public static SafeTensor ToSafeTensor(IBackend backend, string name, Tensor tensor)
    {
        var values = new double[tensor.Count];
        backend.Download(tensor, values);
        return backend.Precision == Precision.Float32
            ? SafeTensor.FromFloats(name, Array.ConvertAll(values, value => (float)value), tensor.Rows, tensor.Columns)
            : SafeTensor.FromDoubles(name, values, tensor.Rows, tensor.Columns);
    }

    public static IEnumerable<SafeTensor> ToSafeTensors(IBackend backend, IEnumerable<Parameter> parameters) =>
        parameters.Select(parameter => ToSafeTensor(backend, parameter.Name, parameter.Value));

    /// <exception cref="CheckpointFormatException">The entry is missing or has another shape or type.</exception>
    public static double[] Find(SafeTensorFile file, string path, string name, Tensor like)
    {
        SafeTensor entry = file.Find(name)
            ?? throw new CheckpointFormatException(path, $"no entry '{name}'; the file belongs to another model than config.json describes.");
        if (entry.Shape.Length != 2 || entry.Shape[0] != like.Rows || entry.Shape[1] != like.Columns)
        {
            throw new CheckpointFormatException(
                path, $"entry '{name}' is [{string.Join(", ", entry.Shape)}] but the model of config.json needs [{like.Rows}, {like.Columns}].");
        }

        return entry.Type switch
        {
            SafeTensorType.F32 => Array.ConvertAll(entry.ToFloats(), value => (double)value),
            SafeTensorType.F64 => entry.ToDoubles(),
            _ => throw new CheckpointFormatException(path, $"entry '{name}' has type {entry.Type}; F32 or F64 expected."),
        };
    }

    /// <exception cref="CheckpointFormatException">The metadata lacks the key or its value is no number.</exception>
    public static long Number(IReadOnlyDictionary<string, string> metadata, string path, string key) =>
        metadata.TryGetValue(key, out string? text)
            && long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out long value) && value >= 0
            ? value
            : throw new CheckpointFormatException(path, $"its metadata has no valid '{key}'; it is not a file of this program.");
}
