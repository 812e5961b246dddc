namespace Lipschitz.Checkpoints;

/// <summary>The contents of a safetensors file.</summary>
public sealed class SafeTensorFile
{
    private readonly Dictionary<string, SafeTensor> _byName;

    internal SafeTensorFile(IReadOnlyList<SafeTensor> tensors, IReadOnlyDictionary<string, string> metadata, bool isVerified)
    {
        Tensors = tensors;
        Metadata = metadata;
        IsVerified = isVerified;
        _byName = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>The arrays, in the order of the file's table.</summary>
    public IReadOnlyList<SafeTensor> Tensors { get; }

    /// <summary>The texts stored with the arrays, without the checksums.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Whether the file had checksums; then they were right. Files of other programs mostly have none.</summary>
    public bool IsVerified { get; }

    /// <summary>The array called <paramref name="name"/>, or null.</summary>
    public SafeTensor? Find(string name) => _byName.GetValueOrDefault(name);
}
