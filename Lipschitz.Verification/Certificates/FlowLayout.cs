using Lipschitz.Backends;
using Lipschitz.Models;
using Lipschitz.Tensors;

namespace Lipschitz.Verification.Certificates;

/// <summary>A linear layer of a saved branch: a weight [Outputs Kernel Kernel, Columns], on each pixel of a picture where there is one.</summary>
/// <param name="Name">Of the layer, such as <c>blocks.3.layers.1</c>.</param>
/// <param name="Outputs">Columns, or channels, of its output.</param>
/// <param name="Columns">Columns, or channels, of its input.</param>
/// <param name="Kernel">1 or the taps of a convolution in each direction.</param>
/// <param name="Activated">Whether its branch counts an activation for it: before it in a chain, behind it in a dense layer.</param>
internal sealed record LayerLayout(string Name, int Outputs, int Columns, int Kernel = 1, bool Activated = true);

/// <summary>The layers of a saved branch.</summary>
/// <param name="Block">Name of the block.</param>
/// <param name="First">The linear layer before a DenseNet, where there is one.</param>
/// <param name="Layers">Dense layers, or the chain of a Residual branch.</param>
/// <param name="Final">The last layer of a DenseNet; null for a chain.</param>
/// <param name="Picture">What convolutions act on; its channels mean nothing. Null for layers on all columns.</param>
internal sealed record BranchLayout(string Block, LayerLayout? First, IReadOnlyList<LayerLayout> Layers, LayerLayout? Final, ImageShape? Picture)
{
    /// <summary>Whether it is a DenseNet, not a chain.</summary>
    public bool IsDenseNet => Final is not null;
}

/// <summary>One bijection of a saved flow, as its settings describe it.</summary>
/// <param name="Name">Such as <c>blocks.3</c>.</param>
internal abstract record PartLayout(string Name);

/// <summary>The logit transform of pictures.</summary>
internal sealed record LogitLayout(string Name, double Alpha) : PartLayout(Name);

/// <summary>An ActNorm with parameters [1, Columns].</summary>
internal sealed record ScaleLayout(string Name, int Columns) : PartLayout(Name);

/// <summary>A permutation of the features.</summary>
/// <param name="Name">Such as <c>squeezes.0</c>.</param>
/// <param name="FactorsOut">Whether the bijections behind it leave the second half of its output as it is.</param>
internal sealed record PermutationLayout(string Name, bool FactorsOut) : PartLayout(Name);

/// <summary>A residual block.</summary>
internal sealed record BlockLayout(BranchLayout Branch) : PartLayout(Branch.Block);

/// <summary>What a saved flow must consist of.</summary>
internal static class FlowLayout
{
    private const int ConvolutionTaps = 3;

    /// <summary>The bijections in order.</summary>
    /// <param name="model">The settings.</param>
    /// <param name="width">Columns of a point.</param>
    public static IReadOnlyList<PartLayout> Of(ModelSettings model, int width) =>
        model.Image is { } image ? Pictures(model, image) : Points(model, width);

    private static List<PartLayout> Points(ModelSettings model, int width)
    {
        var parts = new List<PartLayout>();
        for (int b = 0; b <= model.Blocks; b++)
        {
            if (model.ActNorm)
            {
                parts.Add(new ScaleLayout($"norms.{b}", width));
            }

            if (b < model.Blocks)
            {
                string name = $"blocks.{b}";
                parts.Add(new BlockLayout(model.Branch == BranchKind.DenseNet
                    ? DenseNet(model, name, null, width, model.Depth, model.Growth, width, null)
                    : Chain(model, name, [width, .. model.Hidden, width], [1], true, null)));
            }
        }

        return parts;
    }

    private static List<PartLayout> Pictures(ModelSettings model, ImageSettings image)
    {
        var parts = new List<PartLayout> { new LogitLayout("preprocess", image.Logit) };
        ImageShape shape = image.Shape;
        int blocks = 0, squeezes = 0, splits = 0;
        for (; squeezes < image.FirstSqueezes; squeezes++)
        {
            parts.Add(new PermutationLayout($"squeezes.{squeezes}", false));
            shape = shape.Squeezed;
        }

        AddNorm(shape.Channels);
        for (int scale = 0; scale < image.Blocks.Length; scale++)
        {
            if (scale > 0)
            {
                parts.Add(new PermutationLayout($"squeezes.{squeezes++}", false));
                shape = shape.Squeezed;
            }

            if (scale > 0 && image.FactorOut)
            {
                parts.Add(new PermutationLayout($"splits.{splits++}", true));
                shape = shape with { Channels = shape.Channels / 2 };
            }

            for (int b = 0; b < image.Blocks[scale]; b++)
            {
                string name = $"blocks.{blocks}";
                parts.Add(new BlockLayout(model.Branch == BranchKind.DenseNet
                    ? DenseNet(model, name, null, shape.Channels, model.Depth, model.Growth, shape.Channels, shape)
                    : Chain(model, name, [shape.Channels, .. model.Hidden, shape.Channels], Kernels(model.Hidden.Length + 1), blocks > 0, shape)));
                blocks++;
                AddNorm(shape.Channels);
            }
        }

        for (int b = 0; b < image.FullyConnected; b++)
        {
            string name = $"blocks.{blocks++}";
            int width = shape.Count;
            LayerLayout first = new($"{name}.first", image.FullyConnectedWidth, width, 1, false);
            parts.Add(new BlockLayout(model.Branch == BranchKind.DenseNet
                ? DenseNet(model, name, first, first.Outputs, image.FullyConnectedDepth, image.FullyConnectedGrowth, width, null)
                : Chain(model, name, [width, .. image.FullyConnectedHidden, width], [1], true, null)));
            AddNorm(width);
        }

        return parts;

        void AddNorm(int columns)
        {
            if (model.ActNorm)
            {
                parts.Add(new ScaleLayout($"norms.{blocks}", columns));
            }
        }
    }

    // 3x3 at both ends and 1x1 between them.
    private static int[] Kernels(int layers) =>
        [.. Enumerable.Range(0, layers).Select(i => i == 0 || i == layers - 1 ? ConvolutionTaps : 1)];

    private static BranchLayout DenseNet(
        ModelSettings model, string name, LayerLayout? first, int inputs, int depth, int growth, int outputs, ImageShape? picture)
    {
        int slice = model.Activation.OutputColumns(growth), kernel = picture is null ? 1 : ConvolutionTaps;
        LayerLayout[] layers =
            [.. Enumerable.Range(0, depth).Select(i => new LayerLayout($"{name}.layers.{i}", growth, inputs + (i * slice), kernel))];
        return new BranchLayout(name, first, layers, new LayerLayout($"{name}.final", outputs, inputs + (depth * slice), 1, false), picture);
    }

    private static BranchLayout Chain(ModelSettings model, string name, int[] widths, int[] kernels, bool startsWithActivation, ImageShape? picture)
    {
        var layers = new LayerLayout[widths.Length - 1];
        for (int i = 0; i < layers.Length; i++)
        {
            bool activated = i > 0 || startsWithActivation;
            int columns = activated ? model.Activation.OutputColumns(widths[i]) : widths[i];
            layers[i] = new LayerLayout($"{name}.layers.{i}", widths[i + 1], columns, kernels[i % kernels.Length], activated);
        }

        return new BranchLayout(name, null, layers, null, picture);
    }
}
