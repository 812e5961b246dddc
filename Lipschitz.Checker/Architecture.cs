using System.Text.Json;

namespace Lipschitz.Checker;

/// <summary>A linear layer: a weight [Outputs Kernel Kernel, Columns], a convolution where Kernel is not 1.</summary>
internal sealed record Layer(string Name, int Outputs, int Columns, int Kernel, bool Activated)
{
    public int Rows => checked(Outputs * Kernel * Kernel);
    public string Tensor => $"{Name}.effective";
}

/// <summary>A branch: a DenseNet, perhaps with a first layer before it, or, without a final layer, a chain; on pictures of a size.</summary>
internal sealed record Branch(Layer? First, Layer[] Layers, Layer? Final, int Height, int Width);

/// <summary>One bijection of the flow, the rule for it, and what the rule needs to know.</summary>
internal sealed record Part(string Name, string Rule, int Columns = 0, double Alpha = 0, Branch? Branch = null);

/// <summary>What config.json and the model's width say the flow is: names and shapes of everything a certificate must cover.</summary>
internal sealed class Architecture
{
    private const string File = "config.json";
    private readonly Dictionary<string, (int Rows, int Columns)> _tensors = [];
    private readonly HashSet<string> _unused = []; // tensors that training keeps, and the function does not depend on
    private readonly string[] _described = ["branch", "blocks", "depth", "growth", "hidden", "activation", "actNorm"];
    private readonly Fields _model;
    private readonly bool _hasNorms, _hasHead;

    /// <summary>Reads the model settings; unknown ones are refused, since they may change the function.</summary>
    public Architecture(byte[] configuration, int width)
    {
        Fields root = Fields.AtLeast(Fields.Parse(configuration, File), File);
        (_hasHead, _model) = (root.Has("task"), Fields.AtLeast(root.Element("model"), root.PathOf("model")));
        IsPictures = _model.Has("image");
        _described = IsPictures ? [.. _described, "image"] : _described;
        _model.MustHaveExactly([.. _described, "concatenation", "concatenationBound", "coefficient"]);
        (Width, IsDenseNet, _hasNorms) = (width, _model.Text("branch") == "DenseNet", _model.Flag("actNorm"));
        Activation = ActivationConstant.Find(_model.Text("activation"), _model.PathOf("activation"));
        Refusal.Unless(IsDenseNet || _model.Text("branch") == "Residual", _model.PathOf("branch"), "unknown");
        if (IsPictures)
        {
            AddPictures(_model.Object(
                "image", "height", "width", "channels", "logit", "firstSqueezes", "blocks", "factorOut", "fullyConnected",
                "fullyConnectedWidth", "fullyConnectedDepth", "fullyConnectedGrowth", "fullyConnectedHidden"));
        }
        else
        {
            AddNorm(width);
            AddBlocks(_model.Count("blocks"), width, () => IsDenseNet
                ? DenseNet(null, width, width, _model.Count("depth"), _model.Count("growth"), 1)
                : Chain([width, .. _model.Counts("hidden"), width], [1], true));
        }
    }

    public int Width { get; }
    public bool IsPictures { get; }
    public bool IsDenseNet { get; }
    public ActivationConstant Activation { get; }
    public List<Part> Parts { get; } = [];
    private string NextBlock => $"blocks.{Parts.Count(part => part.Branch is not null)}";

    /// <summary>Checks that a certificate's description is this one.</summary>
    public void Check(JsonElement description, string path)
    {
        Fields fields = Fields.Exactly(description, path, _described);
        foreach (string name in _described)
        {
            bool same = JsonElement.DeepEquals(fields.Element(name), _model.Element(name));
            Refusal.Unless(same, fields.PathOf(name), "is not that of config.json");
        }
    }

    /// <summary>Checks that the file holds every tensor of the flow, finite and of the right shape, and no other.</summary>
    public void Check(ModelFile model)
    {
        foreach ((string name, (int rows, int columns)) in _tensors)
        {
            model.Matrix(name, rows, columns);
        }

        // A head for classes looks at the features of the flow and changes none.
        IEnumerable<string> head = _hasHead ? model.Names.Where(name => name.StartsWith("head.", StringComparison.Ordinal)) : [];
        string? unknown = model.Names.Except(_tensors.Keys).Except(_unused).Except(head).FirstOrDefault();
        Refusal.Unless(unknown is null, $"model.safetensors: {unknown}", "belongs to no layer of config.json");
    }

    private void AddPictures(Fields image)
    {
        (int height, int width, int channels) = (image.Count("height"), image.Count("width"), image.Count("channels"));
        Refusal.Unless((long)height * width * channels == Width, image.Path, $"is no picture of {Width} numbers");
        double alpha = image.Positive("logit");
        Refusal.Unless(alpha < 0.5, image.PathOf("logit"), "is not below 1/2");
        Parts.Add(new Part("preprocess", "logit", Alpha: alpha));
        int squeezes = 0, splits = 0;
        while (squeezes < image.Whole("firstSqueezes"))
        {
            Squeeze();
        }

        AddNorm(channels);
        int[] scales = image.Wholes("blocks");
        for (int scale = 0; scale < scales.Length; scale++)
        {
            if (scale > 0)
            {
                Squeeze();
            }

            if (scale > 0 && image.Flag("factorOut"))
            {
                Parts.Add(new Part($"splits.{splits++}", "factor-out"));
                channels /= 2;
            }

            AddBlocks(scales[scale], channels, () => IsDenseNet
                ? DenseNet(null, channels, channels, _model.Count("depth"), _model.Count("growth"), 3, height, width)
                : Chain([channels, .. _model.Counts("hidden"), channels], [3, 1], NextBlock != "blocks.0", height, width));
        }

        int all = height * width * channels;
        AddBlocks(image.Whole("fullyConnected"), all, () => IsDenseNet
            ? DenseNet(
                MakeLayer("first", image.Count("fullyConnectedWidth"), all, 1, false), image.Count("fullyConnectedWidth"), all,
                image.Count("fullyConnectedDepth"), image.Count("fullyConnectedGrowth"), 1)
            : Chain([all, .. image.Counts("fullyConnectedHidden"), all], [1], true));

        void Squeeze()
        {
            Refusal.Unless(height % 2 == 0 && width % 2 == 0, image.Path, "cannot be squeezed so often");
            (height, width, channels) = (height / 2, width / 2, 4 * channels);
            Parts.Add(new Part($"squeezes.{squeezes++}", "permutation"));
        }
    }

    private void AddBlocks(int count, int columns, Func<Branch> branch)
    {
        for (int i = 0; i < count; i++)
        {
            Parts.Add(new Part(NextBlock, "residual", Branch: branch()));
            AddNorm(columns);
        }
    }

    private void AddNorm(int columns)
    {
        if (_hasNorms)
        {
            string name = NextBlock.Replace("blocks", "norms", StringComparison.Ordinal);
            _tensors[$"{name}.shift"] = _tensors[$"{name}.logScale"] = (1, columns);
            Parts.Add(new Part(name, "scale", columns));
        }
    }

    private Branch DenseNet(Layer? first, int inputs, int outputs, int depth, int growth, int kernel, int height = 1, int width = 1)
    {
        int slice = Activation.OutputColumns(growth);
        _unused.Add($"{NextBlock}.concatenation");
        Layer[] layers =
            [.. Enumerable.Range(0, depth).Select(i => MakeLayer($"layers.{i}", growth, checked(inputs + (i * slice)), kernel, true, growth))];
        return new Branch(first, layers, MakeLayer("final", outputs, checked(inputs + (depth * slice)), 1, false), height, width);
    }

    // Kernels: of the layers at both ends, and of those between them.
    private Branch Chain(int[] widths, int[] kernels, bool startsActivated, int height = 1, int width = 1)
    {
        int last = widths.Length - 2;
        Layer[] layers = [.. Enumerable.Range(0, last + 1).Select(i => i > 0 || startsActivated
            ? MakeLayer($"layers.{i}", widths[i + 1], Activation.OutputColumns(widths[i]), Kernel(i), true, widths[i])
            : MakeLayer($"layers.{i}", widths[i + 1], widths[i], Kernel(i), false))];
        return new Branch(null, layers, null, height, width);

        int Kernel(int layer) => layer == 0 || layer == last ? kernels[0] : kernels[^1];
    }

    private Layer MakeLayer(string suffix, int outputs, int columns, int kernel, bool activated, int activatedColumns = 0)
    {
        var layer = new Layer($"{NextBlock}.{suffix}", outputs, columns, kernel, activated);
        bool fits = activatedColumns % Activation.Multiple == 0;
        Refusal.Unless(fits, layer.Name, $"{Activation.Name} does not fit {activatedColumns} columns");
        if (activated && Activation.Scalars > 0)
        {
            _tensors[$"{layer.Name}.beta"] = (1, Activation.Scalars);
        }

        _tensors[layer.Tensor] = (layer.Rows, columns);
        _tensors[$"{layer.Name}.bias"] = (1, outputs);
        _unused.UnionWith([$"{layer.Name}.weight", $"{layer.Name}.u", $"{layer.Name}.v"]);
        return layer;
    }
}
