using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>What config.json and the model's width say the flow is: names and shapes of everything a certificate must cover.</summary>
internal sealed class Architecture
{
    private const string File = "config.json";
    private readonly List<(string Name, int Rows, int Columns, bool MustExist)> _tensors = [];

    /// <summary>Reads the model settings; unknown ones are refused, since they may change the function.</summary>
    public Architecture(byte[] configuration, int width)
    {
        Fields root = Fields.AtLeast(Fields.Parse(configuration, File), File);
        Fields model = Fields.Exactly(
            root.Element("model"), $"{File}: model", "branch", "blocks", "depth", "growth", "hidden", "activation", "concatenation",
            "concatenationBound", "coefficient", "actNorm");
        Width = width;
        Branch = model.Text("branch");
        Refusal.Unless(Branch is "DenseNet" or "Residual", model.PathOf("branch"), "unknown");
        Blocks = model.Whole("blocks");
        Depth = model.Whole("depth");
        Growth = model.Whole("growth");
        Hidden = model.Wholes("hidden");
        Activation = ActivationConstant.Find(model.Text("activation"), model.PathOf("activation"));
        ActNorm = model.Flag("actNorm");
        Refusal.Unless(Blocks > 0 && (!IsDenseNet || (Depth > 0 && Growth > 0)) && !Hidden.Contains(0), model.Path, "a count is 0");
        Parts = [.. PartNames()];
        Layers = [.. Enumerable.Range(0, Blocks).Select(MakeBlock)];
    }

    public int Width { get; }

    public string Branch { get; }

    public bool IsDenseNet => Branch == "DenseNet";

    public int Blocks { get; }

    public int Depth { get; }

    public int Growth { get; }

    public int[] Hidden { get; }

    public ActivationConstant Activation { get; }

    public bool ActNorm { get; }

    /// <summary>norms.0, blocks.0, norms.1, .. or blocks.0, blocks.1, ..</summary>
    public string[] Parts { get; }

    /// <summary>Name, rows and columns of the effective weights of each block, first layer first.</summary>
    public (string Name, int Rows, int Columns)[][] Layers { get; }

    /// <summary>Checks that a certificate's description is this one.</summary>
    public void Check(JsonElement description, string path)
    {
        Fields fields = Fields.Exactly(description, path, "branch", "blocks", "depth", "growth", "hidden", "activation", "actNorm");
        fields.MustBe("branch", Branch);
        fields.MustBe("blocks", Blocks);
        fields.MustBe("depth", Depth);
        fields.MustBe("growth", Growth);
        fields.MustBe("hidden", Hidden);
        fields.MustBe("activation", Activation.Name);
        Refusal.Unless(fields.Flag("actNorm") == ActNorm, fields.PathOf("actNorm"), $"{ActNorm} is due");
    }

    /// <summary>Checks that the file holds every tensor of the flow, finite and of the right shape, and no other.</summary>
    public void Check(ModelFile model)
    {
        foreach ((string name, int rows, int columns, bool mustExist) in _tensors)
        {
            if (mustExist || model.Names.Contains(name))
            {
                model.Matrix(name, rows, columns);
            }
        }

        HashSet<string> known = [.. _tensors.Select(t => t.Name)];
        foreach (string name in model.Names)
        {
            Refusal.Unless(known.Contains(name), $"model.safetensors: {name}", "belongs to no layer of config.json");
        }
    }

    private IEnumerable<string> PartNames()
    {
        for (int b = 0; b <= Blocks; b++)
        {
            if (ActNorm)
            {
                _tensors.Add(($"norms.{b}.shift", 1, Width, true));
                _tensors.Add(($"norms.{b}.logScale", 1, Width, true));
                yield return $"norms.{b}";
            }

            if (b < Blocks)
            {
                yield return $"blocks.{b}";
            }
        }
    }

    private (string Name, int Rows, int Columns)[] MakeBlock(int block)
    {
        string name = $"blocks.{block}";
        if (!IsDenseNet)
        {
            int[] widths = [Width, .. Hidden, Width];
            return [.. Enumerable.Range(0, widths.Length - 1).Select(
                i => MakeLayer($"{name}.layers.{i}", widths[i + 1], Activation.OutputColumns(widths[i]), widths[i]))];
        }

        int slice = Activation.OutputColumns(Growth);
        _tensors.Add(($"{name}.concatenation", Depth, 2, false));
        return
        [
            .. Enumerable.Range(0, Depth).Select(i => MakeLayer($"{name}.layers.{i}", Growth, checked(Width + (i * slice)), Growth)),
            MakeLayer($"{name}.final", Width, checked(Width + (Depth * slice)), 0),
        ];
    }

    private (string Name, int Rows, int Columns) MakeLayer(string name, int rows, int columns, int activated)
    {
        if (activated > 0)
        {
            Refusal.Unless(activated % Activation.Multiple == 0, name, $"{Activation.Name} does not fit {activated} columns");
            if (Activation.Scalars > 0)
            {
                _tensors.Add(($"{name}.beta", 1, Activation.Scalars, true));
            }
        }

        _tensors.Add(($"{name}.effective", rows, columns, true));
        _tensors.Add(($"{name}.bias", 1, rows, true));
        _tensors.Add(($"{name}.weight", rows, columns, false));
        _tensors.Add(($"{name}.u", 1, rows, false));
        _tensors.Add(($"{name}.v", 1, columns, false));
        return ($"{name}.effective", rows, columns);
    }
}
