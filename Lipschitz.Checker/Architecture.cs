using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>What config.json and the model's width say the flow is: names and shapes of everything a certificate must cover.</summary>
internal sealed class Architecture
{
    private const string File = "config.json";
    private readonly List<(string Name, int Rows, int Columns, bool MustExist)> _tensors = [];
    private readonly int _blocks, _depth, _growth;
    private readonly int[] _hidden;
    private readonly bool _hasNorms;

    /// <summary>Reads the model settings; unknown ones are refused, since they may change the function.</summary>
    public Architecture(byte[] configuration, int width)
    {
        Fields model = Fields.AtLeast(Fields.Parse(configuration, File), File).Object(
            "model", "branch", "blocks", "depth", "growth", "hidden", "activation", "concatenation", "concatenationBound", "coefficient", "actNorm");
        Width = width;
        Branch = model.Text("branch");
        (_blocks, _depth, _growth, _hidden) = (model.Whole("blocks"), model.Whole("depth"), model.Whole("growth"), model.Wholes("hidden"));
        _hasNorms = model.Flag("actNorm");
        Activation = ActivationConstant.Find(model.Text("activation"), model.PathOf("activation"));
        Refusal.Unless(Branch is "DenseNet" or "Residual", model.PathOf("branch"), "unknown");
        Refusal.Unless(_blocks > 0 && (!IsDenseNet || (_depth > 0 && _growth > 0)) && !_hidden.Contains(0), model.Path, "a count is 0");
        IEnumerable<string> names = Enumerable.Range(0, _blocks + 1).SelectMany(b => new[] { $"norms.{b}", $"blocks.{b}" }).SkipLast(1);
        Parts = [.. names.Where(name => _hasNorms || !IsNorm(name))];
        foreach (string norm in Parts.Where(IsNorm))
        {
            _tensors.AddRange([($"{norm}.shift", 1, Width, true), ($"{norm}.logScale", 1, Width, true)]);
        }

        Layers = [.. Enumerable.Range(0, _blocks).Select(MakeBlock)];
    }

    public int Width { get; }
    public string Branch { get; }
    public bool IsDenseNet => Branch == "DenseNet";
    public ActivationConstant Activation { get; }

    /// <summary>norms.0, blocks.0, norms.1, .. or blocks.0, blocks.1, ..</summary>
    public string[] Parts { get; }

    /// <summary>Name, rows and columns of the effective weights of each block, first layer first.</summary>
    public (string Name, int Rows, int Columns)[][] Layers { get; }

    /// <summary>Whether a part is an ActNorm; the others are blocks.</summary>
    public static bool IsNorm(string part) => part.StartsWith("norms.", StringComparison.Ordinal);

    /// <summary>Checks that a certificate's description is this one.</summary>
    public void Check(JsonElement description, string path)
    {
        Fields fields = Fields.Exactly(description, path, "branch", "blocks", "depth", "growth", "hidden", "activation", "actNorm");
        fields.MustBe("branch", Branch);
        fields.MustBe("blocks", _blocks);
        fields.MustBe("depth", _depth);
        fields.MustBe("growth", _growth);
        fields.MustBe("hidden", _hidden);
        fields.MustBe("activation", Activation.Name);
        fields.MustBe("actNorm", _hasNorms);
    }

    /// <summary>Checks that the file holds every tensor of the flow, finite and of the right shape, and no other.</summary>
    public void Check(ModelFile model)
    {
        foreach ((string name, int rows, int columns, _) in _tensors.Where(t => t.MustExist || model.Names.Contains(t.Name)))
        {
            model.Matrix(name, rows, columns);
        }

        string? unknown = model.Names.Except(_tensors.Select(t => t.Name)).FirstOrDefault();
        Refusal.Unless(unknown is null, $"model.safetensors: {unknown}", "belongs to no layer of config.json");
    }

    private (string Name, int Rows, int Columns)[] MakeBlock(int block)
    {
        string name = $"blocks.{block}";
        if (!IsDenseNet)
        {
            int[] widths = [Width, .. _hidden, Width];
            return [.. Enumerable.Range(0, widths.Length - 1).Select(
                i => MakeLayer($"{name}.layers.{i}", widths[i + 1], Activation.OutputColumns(widths[i]), widths[i]))];
        }

        int slice = Activation.OutputColumns(_growth);
        _tensors.Add(($"{name}.concatenation", _depth, 2, false));
        return
        [
            .. Enumerable.Range(0, _depth).Select(i => MakeLayer($"{name}.layers.{i}", _growth, checked(Width + (i * slice)), _growth)),
            MakeLayer($"{name}.final", Width, checked(Width + (_depth * slice)), 0),
        ];
    }

    private (string Name, int Rows, int Columns) MakeLayer(string name, int rows, int columns, int activated)
    {
        Refusal.Unless(activated % Activation.Multiple == 0, name, $"{Activation.Name} does not fit {activated} columns");
        if (activated > 0 && Activation.Scalars > 0)
        {
            _tensors.Add(($"{name}.beta", 1, Activation.Scalars, true));
        }

        _tensors.Add(($"{name}.effective", rows, columns, true));
        _tensors.Add(($"{name}.bias", 1, rows, true));
        _tensors.Add(($"{name}.weight", rows, columns, false));
        _tensors.Add(($"{name}.u", 1, rows, false));
        _tensors.Add(($"{name}.v", 1, columns, false));
        return ($"{name}.effective", rows, columns);
    }
}
