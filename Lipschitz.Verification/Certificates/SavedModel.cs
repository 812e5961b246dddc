using System.Security.Cryptography;
using Lipschitz.Checkpoints;
using Lipschitz.Models;

namespace Lipschitz.Verification.Certificates;

/// <summary>The matrices of a model.safetensors file, and what its configuration says of them.</summary>
internal sealed class SavedModel
{
    private readonly SafeTensorFile _file;
    private readonly string _path;

    /// <summary>Reads the bytes of a file.</summary>
    /// <exception cref="CheckpointFormatException">It is damaged.</exception>
    public SavedModel(byte[] bytes, string path, ModelSettings settings)
    {
        (_path, Settings) = (path, settings);
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        using var stream = new MemoryStream(bytes);
        _file = SafeTensors.Read(stream, path);
        Width = _file.Metadata.TryGetValue("width", out string? text) && int.TryParse(text, out int width) && width is > 0 and <= FlowFile.LargestWidth
            ? width
            : throw new CheckpointFormatException(path, $"its metadata has no width of 1 to {FlowFile.LargestWidth}.");
        if (settings.Image is { } image && (double)image.Height * image.Width * image.Channels != Width)
        {
            throw new CheckpointFormatException(path, $"it has points of {Width} numbers, which are no picture of config.json.");
        }
    }

    /// <summary>The bytes of the file at <paramref name="path"/>.</summary>
    /// <exception cref="CheckpointFormatException">There is none.</exception>
    public static byte[] ReadBytes(string path) => File.Exists(path)
        ? File.ReadAllBytes(path)
        : throw new CheckpointFormatException(path, "there is no model yet; training writes it at its first checkpoint.");

    public string Sha256 { get; }

    public SafeTensorFile Contents => _file;

    public int Width { get; }

    public ModelSettings Settings { get; }

    /// <summary>What the file must consist of.</summary>
    public IReadOnlyList<PartLayout> Layout => FlowLayout.Of(Settings, Width);

    /// <summary>A matrix of finite numbers, row by row.</summary>
    /// <exception cref="CheckpointFormatException">It is missing, no matrix of float32, or not finite.</exception>
    public (double[] Values, int Rows, int Columns, string Sha256) Matrix(string name)
    {
        SafeTensor? tensor = _file.Find(name);
        if (tensor is not { Type: SafeTensorType.F32, Shape: [var rows, var columns] })
        {
            throw new CheckpointFormatException(_path, $"no float32 matrix '{name}'; the file belongs to another model than config.json describes.");
        }

        double[] values = Array.ConvertAll(tensor.ToFloats(), value => (double)value);
        int bad = Array.FindIndex(values, value => !double.IsFinite(value));
        return bad < 0
            ? (values, (int)rows, (int)columns, Convert.ToHexStringLower(SHA256.HashData(tensor.Data)))
            : throw new CheckpointFormatException(_path, $"entry {bad} of '{name}' is {values[bad]}; nothing can be proven of it.");
    }

    /// <summary>A matrix that must have the given shape.</summary>
    /// <exception cref="CheckpointFormatException">It is missing, has another shape, is no matrix of float32, or not finite.</exception>
    public (double[] Values, string Sha256) Matrix(string name, int rows, int columns)
    {
        (double[] values, int r, int c, string sha256) = Matrix(name);
        return (r, c) == (rows, columns)
            ? (values, sha256)
            : throw new CheckpointFormatException(_path, $"'{name}' is [{r}, {c}] where config.json needs [{rows}, {columns}].");
    }

    /// <summary>e1, e2 of the dense layers of a branch, from its K; nothing proven rests on them.</summary>
    public (double E1, double E2)[] Factors(BranchLayout branch)
    {
        var factors = new (double, double)[branch.Layers.Count];
        double[]? raw = Settings.Concatenation == ConcatenationKind.Learnable
            ? Matrix($"{branch.Block}.concatenation", factors.Length, 2).Values
            : null;
        for (int i = 0; i < factors.Length; i++)
        {
            double h1 = raw is null ? 1 : Softplus(raw[2 * i]) + 0.1, h2 = raw is null ? 1 : Softplus(raw[(2 * i) + 1]) + 0.1;
            double norm = Math.Sqrt((h1 * h1) + (h2 * h2)) / Settings.ConcatenationBound;
            factors[i] = (h1 / norm, h2 / norm);
        }

        return factors;
    }

    /// <summary>The factors by which e1 and e2 reach the input columns of each layer of a DenseNet, the final one last.</summary>
    public static double[][] Divisors(BranchLayout branch, ReadOnlySpan<(double E1, double E2)> factors)
    {
        double[] divisors = [.. Enumerable.Repeat(1.0, branch.Layers[0].Columns)];
        var all = new List<double[]> { divisors };
        for (int i = 0; i < factors.Length; i++)
        {
            (double e1, double e2) = factors[i];
            int next = i + 1 < factors.Length ? branch.Layers[i + 1].Columns : branch.Final!.Columns;
            divisors = [.. divisors.Select(d => d * e1), .. Enumerable.Repeat(e2, next - divisors.Length)];
            all.Add(divisors);
        }

        return [.. all];
    }

    private static double Softplus(double x) => x > 30 ? x : Math.Log(1 + Math.Exp(x));
}
