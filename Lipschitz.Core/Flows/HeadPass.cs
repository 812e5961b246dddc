using Lipschitz.Backends;
using Lipschitz.Layers;
using Lipschitz.Tensors;

namespace Lipschitz.Flows;

/// <summary>One evaluation of a <see cref="ClassificationHead"/> on a shard, kept to be differentiated. Reusable, one thread at a time.</summary>
public sealed class HeadPass
{
    private readonly ClassificationHead _head;
    private readonly IBackend _backend;
    private readonly Linearization[] _features;
    private readonly Linearization _classifier;
    private readonly OutputGradient[] _gradients;

    internal HeadPass(ClassificationHead head, IBackend backend)
    {
        (_head, _backend) = (head, backend);
        _features = [.. head.Scales.Select(scale => scale.Features.CreateLinearization())];
        _classifier = head.Layers[^1].CreateLinearization();
        _gradients = new OutputGradient[_features.Length];
    }

    /// <summary>One logit a class [B, Classes].</summary>
    public Tensor Logits => _classifier.Output;

    /// <summary>
    /// What <see cref="Backward"/> found for the outputs of the flow, for <see cref="FlowPass.Backward"/>.
    /// </summary>
    public ReadOnlySpan<OutputGradient> OutputGradients => _gradients;

    /// <summary>Evaluates the logits at the outputs of a flow's pass; the records live in <paramref name="workspace"/>.</summary>
    public void Forward(FlowPass flow, Workspace workspace)
    {
        int rows = flow.Output.Rows, start = 0;
        Tensor joined = workspace.Rent(rows, _head.Layers[^1].InputWidth);
        for (int i = 0; i < _features.Length; i++)
        {
            _features[i].Evaluate(flow.OutputAfter(_head.Scales[i].Bijection), rows, workspace);
            _backend.Copy(_features[i].Output, joined.ColumnRange(start, _features[i].Output.Columns));
            start += _features[i].Output.Columns;
        }

        _classifier.Evaluate(joined, rows, workspace);
    }

    /// <summary>As <see cref="FlowPass.DescribeNonFinite"/>, where it may also be that only the logits are not finite.</summary>
    /// <param name="flow">The pass that this one looked at.</param>
    /// <param name="firstRow">The row of the whole batch that the shard begins at.</param>
    public NonFiniteException DescribeNonFinite(FlowPass flow, long firstRow) =>
        _backend.AllFinite(flow.Output) && FlowPass.FirstNonFinite(_backend, Logits) is { } row
            ? FlowPass.NotFinite("a logit of the classification head", firstRow + row)
            : flow.DescribeNonFinite(firstRow);

    /// <summary>
    /// From the gradient of the logits [B, Classes] to <see cref="OutputGradients"/>, in memory of <paramref name="workspace"/>; gradient (flat) += that
    /// of the head's effective weights.
    /// </summary>
    public void Backward(Tensor logitsGradient, Tensor gradient, Workspace workspace)
    {
        int rows = logitsGradient.Rows, start = 0;
        Tensor joined = workspace.Rent(rows, _head.Layers[^1].InputWidth);
        _classifier.Backward(logitsGradient, joined, gradient, workspace);
        for (int i = 0; i < _features.Length; i++)
        {
            int columns = _features[i].Output.Columns;
            Tensor above = workspace.Rent(rows, columns), below = workspace.Rent(rows, _head.Scales[i].Features.InputWidth);
            _backend.Copy(joined.ColumnRange(start, columns), above);
            _features[i].Backward(above, below, gradient, workspace);
            _gradients[i] = new OutputGradient(_head.Scales[i].Bijection, below);
            start += columns;
        }
    }
}
