using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary><c>y = g_n(..g_2(g_1(x)))</c>: Lipschitz constants multiply.</summary>
public sealed class Sequential : ILayer
{
    private readonly ILayer[] _layers; // an array, since going through an interface would allocate in each step

    /// <summary>Chains layers, the first applied first.</summary>
    /// <exception cref="ShapeMismatchException">There is none, or widths differ between neighbours.</exception>
    public Sequential(params IReadOnlyList<ILayer> layers)
    {
        if (layers.Count == 0)
        {
            throw new ShapeMismatchException("Sequential needs at least one layer.");
        }

        for (int i = 1; i < layers.Count; i++)
        {
            if (layers[i - 1].OutputWidth != layers[i].InputWidth)
            {
                throw new ShapeMismatchException(
                    $"Sequential: layer {i - 1} gives {layers[i - 1].OutputWidth} columns but layer {i} takes {layers[i].InputWidth}.");
            }
        }

        Layers = _layers = [.. layers];
        Parameters = [.. layers.SelectMany(layer => layer.Parameters)];
        EffectiveWeights = [.. layers.SelectMany(layer => layer.EffectiveWeights)];
    }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<ILayer> Layers { get; }

    /// <inheritdoc/>
    public int InputWidth => Layers[0].InputWidth;

    /// <inheritdoc/>
    public int OutputWidth => Layers[^1].OutputWidth;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EffectiveWeight> EffectiveWeights { get; }

    /// <inheritdoc/>
    public double LipschitzEstimate => Layers.Aggregate(1.0, (product, layer) => product * layer.LipschitzEstimate);

    /// <inheritdoc/>
    public double Bound(double p) => Layers.Aggregate(1.0, (product, layer) => product * layer.Bound(p));

    /// <inheritdoc/>
    public void Prepare()
    {
        foreach (ILayer layer in _layers)
        {
            layer.Prepare();
        }
    }

    /// <inheritdoc/>
    public void Pack()
    {
        foreach (ILayer layer in _layers)
        {
            layer.Pack();
        }
    }

    /// <inheritdoc/>
    public void PullBack(Tensor gradient)
    {
        foreach (ILayer layer in _layers)
        {
            layer.PullBack(gradient);
        }
    }

    /// <inheritdoc/>
    public void UpdateNorms(int iterations, double tolerance)
    {
        foreach (ILayer layer in _layers)
        {
            layer.UpdateNorms(iterations, tolerance);
        }
    }

    /// <inheritdoc/>
    public void Forward(Tensor x, Tensor y, Workspace workspace)
    {
        WorkspaceMark mark = workspace.Mark();
        for (int i = 0; i < Layers.Count; i++)
        {
            Tensor output = i == Layers.Count - 1 ? y : workspace.Rent(x.Rows, Layers[i].OutputWidth);
            Layers[i].Forward(x, output, workspace);
            x = output;
        }

        workspace.Release(mark);
    }

    /// <inheritdoc/>
    public Linearization CreateLinearization() => new AtPoints(this);

    private sealed class AtPoints(Sequential layer) : Linearization
    {
        private readonly Linearization[] _parts = [.. layer.Layers.Select(part => part.CreateLinearization())];

        public override Tensor Output => _parts[^1].Output;

        public override void Evaluate(Tensor input, int valueRows, Workspace workspace)
        {
            ValueRows = valueRows;
            foreach (Linearization part in _parts)
            {
                part.Evaluate(input, valueRows, workspace);
                input = part.Output;
            }
        }

        public override void PrepareProducts(Workspace workspace)
        {
            foreach (Linearization part in _parts)
            {
                part.PrepareProducts(workspace);
            }
        }

        public override void Vjp(Tensor w, Tensor result, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            for (int i = _parts.Length - 1; i >= 0; i--)
            {
                Tensor next = i == 0 ? result : workspace.Rent(w.Rows, layer.Layers[i].InputWidth);
                _parts[i].Vjp(w, next, workspace);
                w = next;
            }

            workspace.Release(mark);
        }

        public override void Jvp(Tensor t, Tensor result, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            for (int i = 0; i < _parts.Length; i++)
            {
                Tensor next = i == _parts.Length - 1 ? result : workspace.Rent(t.Rows, layer.Layers[i].OutputWidth);
                _parts[i].Jvp(t, next, workspace);
                t = next;
            }

            workspace.Release(mark);
        }

        public override void Backward(Tensor outputGradient, Tensor inputGradient, Tensor gradient, Workspace workspace)
        {
            WorkspaceMark mark = workspace.Mark();
            for (int i = _parts.Length - 1; i >= 0; i--)
            {
                Tensor next = i == 0 ? inputGradient : workspace.Rent(outputGradient.Rows, layer.Layers[i].InputWidth);
                _parts[i].Backward(outputGradient, next, gradient, workspace);
                outputGradient = next;
            }

            workspace.Release(mark);
        }
    }
}
